// What is asked of Dockline, its configuration, transfers: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const owner: readonly Pattern[] = [
  ['No registry named {1} is configured.', 'Er is geen register dat {1} heet.'],
  [
    '`dockline list` shows the configured ones; `dockline add` adds one.',
    'Onder Registers staan die welke er zijn; daar voegt u er ook een toe.',
  ],
  ['`dockline list` shows the configured ones.', 'Onder Registers staan die welke er zijn.'],
  ['A registry named {1} is configured already.', 'Er is al een register dat {1} heet.'],
  ['{1} listens at {2} already.', '{1} luistert al op {2}.'],
  [
    'Choose another name, or remove it first: dockline remove {1}',
    'Kies een andere naam, of verwijder {1} eerst.',
  ],
  [
    'Leave the address out to get a free one, or choose another address or port.',
    'Laat het adres weg voor een vrij adres, of kies een ander adres of een andere poort.',
  ],
  ['{1} cannot be read: {2}.', '{1} is niet te lezen: {2}.'],
  ['{1} cannot be written: {2}.', '{1} is niet te schrijven: {2}.'],
  ['{1} could not be written: {2}.', '{1} is niet te schrijven: {2}.'],
  [
    'Choose another folder, or look at its permissions and the free space.',
    'Kies een andere map, of kijk naar de rechten en de vrije ruimte.',
  ],
  ['Check that the file is yours and readable.', 'Kijk of het bestand van u is en te lezen.'],
  [
    'Check that the folder is yours, and that the disk is neither full nor read-only.',
    'Kijk of de map van u is, en of de schijf niet vol of alleen-lezen is.',
  ],
  [
    'Correct the file; it is read again as soon as it is saved.',
    'Verbeter het bestand; het wordt opnieuw gelezen zodra het bewaard is.',
  ],
  [
    "Give the path of the authority's certificate as PEM; Dockline keeps a copy.",
    'Geef het pad van het certificaat van de autoriteit als PEM; Dockline bewaart een kopie.',
  ],
  ['The Dockline that owned the tunnels went away.', 'De Dockline die de tunnels had, is weg.'],
  ['The Dockline that owned the tunnels has ended.', 'De Dockline die de tunnels had, is gestopt.'],
  ['Run the command again.', 'Doe het nog eens.'],
  ['Dockline is ending.', 'Dockline stopt.'],
  ['Dockline is ending and takes no more commands.', 'Dockline stopt en neemt geen opdrachten meer aan.'],
  [
    "Dockline's core did not start within 10 seconds.",
    'De kern van Dockline startte niet binnen 10 seconden.',
  ],
  [
    'Quit Dockline and start it from a terminal, where it says why.',
    'Sluit Dockline af en start het vanuit een terminal; daar zegt het waarom.',
  ],
  ['Start it again.', 'Start het opnieuw.'],
  ['A background task of Dockline failed: {1}.', 'Een achtergrondtaak van Dockline mislukte: {1}.'],
  ['{1} did not accept this name and password.', '{1} aanvaardde deze naam en dit wachtwoord niet.'],
  [
    'Nothing was kept. Check both; some registries want a token instead of the password.',
    'Er is niets bewaard. Kijk naar beide; sommige registers willen een token in plaats van het wachtwoord.',
  ],
  [
    'That question has been answered, or is no longer open.',
    'Die vraag is beantwoord, of staat niet meer open.',
  ],
  ['Something is using the tunnel to {1}.', 'Iets gebruikt de tunnel naar {1}.'],
  ['A transfer is under way.', 'Er loopt een overdracht.'],
  ['{1} transfers are under way.', 'Er lopen {1} overdrachten.'],
  [
    'Dockline was ended before this transfer was.',
    'Dockline werd beëindigd voordat deze overdracht klaar was.',
  ],
  [
    'Try it again: what the registry has already is not sent twice.',
    'Probeer het opnieuw: wat het register al heeft, wordt geen tweede keer verzonden.',
  ],
  ["“{1}” is not a host's name.", '“{1}” is geen naam van een host.'],
  ['Write it as you would after ssh: user@host.', 'Schrijf het zoals na ssh: user@host.'],
  [
    'A registry is offered at 127.0.0.1:{1} of {2} already.',
    'Er wordt al een register aangeboden op 127.0.0.1:{1} van {2}.',
  ],
  ['Use that one, or choose another port for this one.', 'Gebruik dat, of kies een andere poort voor dit.'],
  ['That registry is not offered any more.', 'Dat register wordt niet meer aangeboden.'],
  [
    'The registry was removed, or its settings changed.',
    'Het register is verwijderd, of zijn instellingen zijn veranderd.',
  ],
  [
    '{1} is used without a tunnel: there is nothing to connect.',
    '{1} wordt zonder tunnel gebruikt: er is niets te verbinden.',
  ],
  ['The settings of {1} were changed meanwhile.', 'De instellingen van {1} zijn intussen veranderd.'],
  ['The registry {1} was removed.', 'Het register {1} is verwijderd.'],
  ['A push needs a tag, not a digest.', 'Een push heeft een tag nodig, geen digest.'],
  ['A copy needs a tag, not a digest.', 'Een kopie heeft een tag nodig, geen digest.'],
  ['A shipped image needs a tag, not a digest.', 'Een verzonden image heeft een tag nodig, geen digest.'],
  [
    'Say what it is to be called there: cr.boss.org/app:v1',
    'Zeg hoe het daar moet heten: cr.boss.org/app:v1',
  ],
  ['Say what it is to be called there: --as app:v1', 'Zeg hoe het daar moet heten, zoals app:v1.'],
  [
    'Say what it is to be called at the registry, such as app:v1.',
    'Zeg hoe het in het register moet heten, zoals app:v1.',
  ],
  [
    'The copy would have the place and the name of the original.',
    'De kopie zou de plaats en de naam van het origineel hebben.',
  ],
  ['Give it another registry, or another name.', 'Geef haar een ander register, of een andere naam.'],
  ['{1} exists already.', '{1} bestaat al.'],
  ['Choose another file name, or remove it first.', 'Kies een andere bestandsnaam, of verwijder het eerst.'],
  ['Either all platforms or one of them.', 'Alle platforms, of één ervan.'],
  ['{1} is not a reference of {2}.', '{1} is geen verwijzing van {2}.'],
  ['Leave the registry out of it: team/app:v1.', 'Laat het register eruit weg: team/app:v1.'],
  ['“{1}” does not say which registry is meant.', '“{1}” zegt niet welk register bedoeld is.'],
  ['Write it as cr.boss.org/app:v1.', 'Schrijf het als cr.boss.org/app:v1.'],
  ['{1} is not an absolute path.', '{1} is geen volledig pad.'],
  ['The image in {1} has no name.', 'Het image in {1} heeft geen naam.'],
  ['{1} holds {2} images: {3}.', '{1} bevat {2} images: {3}.'],
  [
    'Say which of them to push (--image), or its repository and tag at the registry.',
    'Zeg onder “Meer opties” welk ervan, of geef de naam in het register.',
  ],
  ['The transfer was stopped.', 'De overdracht is gestopt.'],
  ['{1} has {2} as {3}, but {4} was transferred.', '{1} heeft {2} als {3}, maar {4} is overgebracht.'],
  [
    'Somebody else may have pushed the same tag meanwhile; try again.',
    'Misschien heeft iemand anders intussen dezelfde tag gepusht; probeer het opnieuw.',
  ],
  ['{1} has {2} as {3}, but {4} was shipped.', '{1} heeft {2} als {3}, maar {4} is verzonden.'],
  [
    'Somebody else may have given the same name there meanwhile; try again.',
    'Misschien heeft iemand daar intussen dezelfde naam gegeven; probeer het opnieuw.',
  ],
  ['Docker on {1} did not answer.', 'Docker op {1} antwoordde niet.'],
  ['See there whether `docker version` answers.', 'Kijk daar of `docker version` antwoordt.'],
  ['Docker {1} on {2} is too old to be shipped to.', 'Docker {1} op {2} is te oud om naar te verzenden.'],
  ['Docker 18.09 or later is needed there.', 'Daar is Docker 18.09 of nieuwer nodig.'],
  ['{1} was built for {2}, and {3} is {4}.', '{1} is gebouwd voor {2}, en {3} is {4}.'],
  ['Docker on {1} stopped answering.', 'Docker op {1} antwoordt niet meer.'],
  [
    'See there whether it was restarted, and try again.',
    'Kijk daar of het opnieuw is gestart, en probeer het nog eens.',
  ],
  [
    'The disk of {1} is full: Docker there could not store the image.',
    'De schijf van {1} is vol: Docker kon het image daar niet bewaren.',
  ],
  [
    'Free some space there (docker image prune), and ship again; layers that arrived are kept.',
    'Maak daar ruimte (docker image prune) en verzend opnieuw; lagen die aankwamen blijven bewaard.',
  ],
  ['Docker on {1} could not take the image.', 'Docker op {1} kon het image niet aannemen.'],
  [
    'Its own words are in the details; its log there may say more.',
    'Zijn eigen woorden staan bij de details; zijn log daar zegt misschien meer.',
  ],
  ['There is no Docker on {1}.', 'Er is geen Docker op {1}.'],
  [
    'Install Docker there, or name a host that has it.',
    'Installeer Docker daar, of noem een host die het heeft.',
  ],
  ['On {1}, {2} may not use Docker.', 'Op {1} mag {2} Docker niet gebruiken.'],
  [
    'Add that user to the group docker there (usermod -aG docker USER), or log in as another.',
    'Voeg die gebruiker daar toe aan de groep docker (usermod -aG docker USER), of log in als een ander.',
  ],
  ['Docker does not run on {1}.', 'Docker draait niet op {1}.'],
  ['Start it there: systemctl start docker', 'Start het daar: systemctl start docker'],
  ['Docker on {1} does not say what it is.', 'Docker op {1} zegt niet wat het is.'],
  ['The connection to {1} was lost.', 'De verbinding met {1} ging verloren.'],
  ['The transfer has ended.', 'De overdracht is voorbij.'],
  [
    'The engine carries this transfer, and an engine cannot halt one that it has begun.',
    'De engine doet deze overdracht, en een engine kan er geen pauzeren die begonnen is.',
  ],
  [
    'Cancel it; when it is begun again, layers that arrived are not sent again.',
    'Annuleer haar; begint u opnieuw, dan worden lagen die aankwamen niet nog eens verzonden.',
  ],
  ['The transfer has not ended yet.', 'De overdracht is nog niet voorbij.'],
  ['Cancel it first, or wait for its end.', 'Annuleer haar eerst, of wacht op het einde.'],
  ['There is no transfer {1}.', 'Er is geen overdracht {1}.'],
  [
    'The login was not kept: this system has no keyring that works.',
    'De login is niet bewaard: dit systeem heeft geen sleutelbos die werkt.',
  ],
  [
    'Start or unlock one (gnome-keyring, KWallet), or allow it: keyring = true in the configuration.',
    'Start of ontgrendel er een (gnome-keyring, KWallet), of sta het toe bij Instellingen.',
  ],
  [
    '{1} wants a name and a password, and nobody gave them.',
    '{1} wil een naam en een wachtwoord, en niemand gaf ze.',
  ],
  ['The credential helper {1}.', 'De credential helper {1}.'],
  [
    'Docker keeps logins there; check that the file is yours.',
    'Docker bewaart daar logins; kijk of het bestand van u is.',
  ],
  [
    "Dockline's desktop app is not installed, so it cannot start at login.",
    'De app van Dockline is niet geïnstalleerd, dus hij kan niet bij het inloggen starten.',
  ],
  [
    "Check that the folder is yours; your desktop's own settings can switch it, too.",
    'Kijk of de map van u is; de instellingen van uw bureaublad kunnen het ook omzetten.',
  ],
  ['{1} cannot be changed: {2}.', '{1} is niet te veranderen: {2}.'],
  [
    '{1} is configured here and leads to {2}; in the team file it leads to {3}.',
    '{1} is hier al ingesteld en leidt naar {2}; in het teambestand leidt het naar {3}.',
  ],
  [
    "Ask which is right. To take the file's: dockline remove {1}, and import again.",
    'Vraag welk klopt. Wilt u dat van het bestand: verwijder {1}, en lees het bestand opnieuw.',
  ],
  ['The team file has no registries.', 'Het teambestand heeft geen registers.'],
  ['{1} cannot be used: {2}.', '{1} is niet te gebruiken: {2}.'],
  [
    'An image is kept there until the engine has it; see that there is room.',
    'Daar staat een image totdat de engine het heeft; zorg dat er ruimte is.',
  ],
  ['The team file does not read: {1}.', 'Het teambestand is niet te lezen: {1}.'],
  [
    'A team file is what `dockline team export` writes.',
    'Een teambestand is wat Dockline bij “Teambestand…” schrijft.',
  ],
  [
    'Update Dockline, or ask for a file that an older one wrote.',
    'Werk Dockline bij, of vraag om een bestand dat een oudere schreef.',
  ],
  [
    "Its engine is on another machine, which has no way to this one's tunnels.",
    'Zijn engine staat op een andere machine, die geen weg naar de tunnels van deze heeft.',
  ],
  ['{1} registries will be added.', 'Er worden {1} registers toegevoegd.'],
  ['1 registry will be added.', 'Er wordt 1 register toegevoegd.'],
  ['1 is here already.', '1 is hier al.'],
  ['{1} are here already.', '{1} zijn hier al.'],
  [
    'Install it, or let your system start `dockline agent`.',
    'Installeer hem, of laat uw systeem `dockline agent` starten.',
  ],
  [
    'Give the registry an address of 127.0.0.0/8 yourself.',
    'Geef het register zelf een adres uit 127.0.0.0/8.',
  ],
  ['The control socket {1} may not be opened.', 'De socket {1} mag niet worden geopend.'],
  ['It belongs to another account.', 'Hij is van een ander account.'],
  [
    "The Dockline that runs does not speak this program's control protocol.",
    'De Dockline die draait, spreekt niet het protocol van dit programma.',
  ],
  [
    'Quit the one that runs, so that the new version takes over.',
    'Sluit die welke draait, zodat de nieuwe versie het overneemt.',
  ],
  ['Dockline is not running.', 'Dockline draait niet.'],
  ['Start the desktop app, or `dockline agent`.', 'Start de app, of `dockline agent`.'],
  ['The lock {1} cannot be used: {2}.', 'Het slot {1} is niet te gebruiken: {2}.'],
  [
    'Check that the folder is yours and on a file system with locks; DOCKLINE_HOME names another one.',
    'Kijk of de map van u is en op een bestandssysteem met sloten staat; DOCKLINE_HOME noemt een andere.',
  ],
  [
    'The Dockline that runs speaks version {1} of the control protocol and this program version {2}.',
    'De Dockline die draait, spreekt versie {1} van het protocol en dit programma versie {2}.',
  ],
  ['The control socket {1} cannot be made: {2}.', 'De socket {1} is niet te maken: {2}.'],
  [
    'Check that the folder is yours; DOCKLINE_HOME names another one.',
    'Kijk of de map van u is; DOCKLINE_HOME noemt een andere.',
  ],
  [
    'A host is using a registry that is offered to it.',
    'Een host gebruikt een register dat hem wordt aangeboden.',
  ],
  ['Try again.', 'Probeer het opnieuw.'],
  ['`dockline login {1}` tries the way there.', '`dockline login {1}` probeert de weg erheen.'],
  ['{1} is called {2} now.', '{1} heet nu {2}.'],
  [
    'An archive goes to the registry directly; no engine takes part.',
    'Een archief gaat rechtstreeks naar het register; er doet geen engine mee.',
  ],
  ['{1} is no host of {2}.', '{1} is geen host van {2}.'],
  ['`dockline status` shows the hosts of a registry.', 'De kaart van het register toont zijn hosts.'],
  ['The engine decides itself how it compresses layers.', 'De engine beslist zelf hoe hij lagen inpakt.'],
  [
    '{1} must be from {2} to {3}, and {4} is not.',
    '{1} moet tussen {2} en {3} liggen, en {4} doet dat niet.',
  ],
  [
    'Docker on {1} does not get to 127.0.0.1 of that host, where Dockline offers it the image.',
    'Docker op {1} komt niet bij 127.0.0.1 van die host, waar Dockline het image aanbiedt.',
  ],
  [
    '{1} was built for another platform than that of {2}.',
    '{1} is gebouwd voor een ander platform dan dat van {2}.',
  ],
  [
    'Build it for that platform as well (`docker buildx build --platform …`).',
    'Bouw het ook voor dat platform (`docker buildx build --platform …`).',
  ],
  [
    "This machine's disk is full; the image needs room here while it is on its way.",
    'De schijf van deze computer is vol; het image heeft hier ruimte nodig terwijl het onderweg is.',
  ],
  [
    "Check the folder's disk and who may write there.",
    'Kijk naar de schijf van de map en wie daar mag schrijven.',
  ],
  [
    'The image could not be written to a temporary file: {1}.',
    'Het image was niet naar een tijdelijk bestand te schrijven: {1}.',
  ],
  ['Dockline cannot listen on 127.0.0.1: {1}.', 'Dockline kan niet luisteren op 127.0.0.1: {1}.'],
  ['{1} does not read as JSON: {2}.', '{1} is niet te lezen als JSON: {2}.'],
  [
    'Docker keeps logins there; docker itself says what is wrong with it.',
    'Docker bewaart daar logins; docker zelf zegt wat eraan mankeert.',
  ],
  [
    "Docker's config.json names it (credHelpers, credsStore). Install it, take it out there, or log in with dockline login.",
    'De config.json van Docker noemt hem (credHelpers, credsStore). Installeer hem, haal hem daar weg, of meld u aan bij het register.',
  ],
  [
    'Its owner must be you and nobody else may have rights to it (chmod 700); remove it if it is not yours.',
    'De eigenaar moet u zijn en niemand anders mag er rechten op hebben (chmod 700); verwijder het als het niet van u is.',
  ],
  ['Dockline is running already.', 'Dockline draait al.'],
  [
    'Another Dockline holds the tunnels but does not answer.',
    'Een andere Dockline houdt de tunnels maar antwoordt niet.',
  ],
  [
    'Wait until it has ended; if it does not, end it (its process is named dockline).',
    'Wacht tot die gestopt is; gebeurt dat niet, beëindig hem dan (zijn proces heet dockline).',
  ],
  [
    "Podman's service could not be told to read its settings again ({1}); restart it: systemctl restart podman.service. No container stops.",
    'De service van Podman kon niet gevraagd worden zijn instellingen opnieuw te lezen ({1}); herstart hem: systemctl restart podman.service. Er stopt geen container.',
  ],
  ['The team file has no registry named {1}.', 'Het teambestand heeft geen register dat {1} heet.'],
  ['Give the registry an address such as 127.77.1.1.', 'Geef het register een adres zoals 127.77.1.1.'],
  [
    'Choose the address of the Docker bridge, such as 172.17.0.1.',
    'Kies het adres van de Docker-brug, zoals 172.17.0.1.',
  ],
  [
    "Keep one registry of that name in Dockline's configuration.",
    'Houd in de configuratie van Dockline één register met die naam.',
  ],
  ['Choose a name below it, such as cr.{1}.', 'Kies een naam daaronder, zoals cr.{1}.'],
  [
    'Remove the lines from “{1}” to “{2}” yourself, then try again.',
    'Verwijder zelf de regels van “{1}” tot “{2}”, en probeer het opnieuw.',
  ],
  [
    'Remove the “{1}” that does not count and try again.',
    'Verwijder de “{1}” die niet telt en probeer het opnieuw.',
  ],
  [
    'Make it a list, such as {1}: [], and try again.',
    'Maak er een lijst van, zoals {1}: [], en probeer het opnieuw.',
  ],
  [
    'Add the registry under docker: insecure-registries: yourself, and start the engine anew.',
    'Voeg het register zelf toe onder docker: insecure-registries:, en start de engine opnieuw.',
  ],
  // The configuration, and where things are.
  ['{1} has a problem:\n{2!}', '{1} bevat een fout:\n{2!}'],
  ['{1} has {2} problems:\n{3!}', '{1} bevat {2} fouten:\n{3!}'],
  ['The certificate file {1} cannot be read: {2}.', 'Het certificaatbestand {1} is niet te lezen: {2}.'],
  ['{1} is no certificate of an authority: {2!}.', '{1} is geen certificaat van een autoriteit: {2!}.'],
  [
    "This account has no home folder, so there is no place for Dockline's configuration.",
    'Dit account heeft geen eigen map, dus er is geen plaats voor de configuratie van Dockline.',
  ],
  [
    "Set HOME, or name one folder for all of Dockline's files in DOCKLINE_HOME.",
    'Zet HOME, of noem in DOCKLINE_HOME één map voor alle bestanden van Dockline.',
  ],
  ['The folder {1} cannot be made: {2}.', 'De map {1} is niet te maken: {2}.'],
  [
    'Make the folder writable, or name another one in DOCKLINE_HOME.',
    'Zorg dat in de map geschreven mag worden, of noem een andere in DOCKLINE_HOME.',
  ],
  ['The folder {1} is not private to this account.', 'De map {1} is niet alleen van dit account.'],
  [
    'Wait until it has finished, or end it with force (dockline agent --stop --force).',
    'Wacht tot dat klaar is, of stop met kracht (dockline agent --stop --force).',
  ],
  [
    'Use it as it is, or end it first: dockline agent --stop',
    'Gebruik die zoals hij is, of stop hem eerst: dockline agent --stop',
  ],
  ['No thread could be started: {1}.', 'Er kon geen thread worden gestart: {1}.'],
  [
    'The change of the hosts file ended without saying how.',
    'De verandering van het hosts-bestand eindigde zonder te zeggen hoe.',
  ],
  [
    'The change of the settings ended without saying how.',
    'De verandering van de instellingen eindigde zonder te zeggen hoe.',
  ],
  // Transfers.
  [
    'Leave --engine out, or load the archive into the engine first.',
    'Kies de weg zonder engine, of laad het archief eerst in de engine.',
  ],
  [
    'Leave --engine out, or --compression and --level.',
    'Kies de weg zonder engine, of geen manier van inpakken.',
  ],
  ['There are no levels where nothing is compressed.', 'Waar niets wordt ingepakt, zijn er geen niveaus.'],
  [
    'There is no level {1}; the levels are {2} to {3}.',
    'Er is geen niveau {1}; de niveaus zijn {2} tot en met {3}.',
  ],
  ['{1} is no transfer.', '{1} is geen overdracht.'],
  ['An image is shipped without a registry.', 'Een image gaat zonder register naar een host.'],
  ['A copy without a source.', 'Een kopie zonder bron.'],
  ["The transfer's task failed: {1}.", 'De taak van de overdracht mislukte: {1}.'],
  [
    'Build it for that platform: docker buildx build --platform {1} …',
    'Bouw het voor dat platform: docker buildx build --platform {1} …',
  ],
  [
    'A rootless Docker, or one in a virtual machine, has a 127.0.0.1 of its own. There, use: docker save IMAGE | ssh HOST docker load',
    'Docker zonder root, of in een virtuele machine, heeft een eigen 127.0.0.1. Gebruik daar: docker save IMAGE | ssh HOST docker load',
  ],
  [
    'The engine runs in a virtual machine and sees only 127.0.0.1 of this one, and {1} is not there.',
    'De engine draait in een virtuele machine en ziet van deze computer alleen 127.0.0.1, en daar is {1} niet.',
  ],
  [
    'Let Dockline listen there, and tell the engine: dockline setup {1}',
    'Laat Dockline daar luisteren en de engine instellen, met “docker push hier laten werken”.',
  ],
  [
    'Let the registry listen on a gateway address too, then tell the engine: dockline setup {1}',
    'Laat het register ook op een gateway-adres luisteren (“Adres voor containers” bij Bewerken), en stel dan de engine in met “docker push hier laten werken”.',
  ],
  ['Give them: --username NAME --password-stdin', 'Geef ze bij “Aanmelden bij het register…”.'],
  ["The dial's task failed.", 'De taak van het verbinden mislukte.'],
  // Team files.
  ['The registries cannot be written down: {1}.', 'De registers zijn niet op te schrijven: {1}.'],
  ['{1!} will be added, {2!}.', 'Erbij komen {1!}; {2!}.'],
  ['1 is here already, {1!}.', '1 is hier al; {1!}.'],
  ['{1} are here already, {2!}.', '{1} zijn hier al; {2!}.'],
  ['1 is to be decided.', '1 is nog te beslissen.'],
  ['{1} are to be decided.', '{1} zijn nog te beslissen.'],
];
