// The owner of the tunnels itself, its configuration and folders, registries, logins, team files: the owner’s sentences in
// Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const owner: readonly Pattern[] = [
  ['No registry named {1} is configured.', 'Er is geen registry die {1} heet.'],
  [
    '`dockline list` shows the configured ones; `dockline add` adds one.',
    'Onder Registry’s staan de registry’s die er zijn; daar voegt u er ook een toe.',
  ],
  ['`dockline list` shows the configured ones.', 'Onder Registry’s staan de registry’s die er zijn.'],
  ['A registry named {1} is configured already.', 'Er is al een registry die {1} heet.'],
  ['{1} listens at {2} already.', '{1} luistert al op {2}.'],
  [
    'Choose another name, or remove it first: dockline remove {1}',
    'Kies een andere naam, of verwijder {1} eerst.',
  ],
  [
    'Leave the address out to get a free one, or choose another address or port.',
    'Laat het adres weg voor een vrij adres, of kies een ander adres of een andere poort.',
  ],
  [
    'The task that reads the archive failed: {1}.',
    'Het deel van Dockline dat het archief leest, is vastgelopen: {1}.',
  ],
  ['{1} cannot be read: {2}.', '{1} is niet te lezen: {2}.'],
  ['{1} cannot be written: {2}.', '{1} is niet te schrijven: {2}.'],
  ['{1} could not be written: {2}.', '{1} is niet te schrijven: {2}.'],
  ['Check that the file is yours and readable.', 'Kijk of het bestand van u is en te lezen.'],
  [
    'Check that the folder is yours, and that the disk is neither full nor read-only.',
    'Kijk of de map van u is, en of de schijf niet vol of alleen-lezen is.',
  ],
  [
    'Correct the file; it is read again as soon as it is saved.',
    'Verbeter het bestand; het wordt opnieuw gelezen zodra het opgeslagen is.',
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
  ['{1} did not accept this name and password.', '{1} accepteerde deze naam en dit wachtwoord niet.'],
  [
    'Nothing was kept. Check both; some registries want a token instead of the password.',
    'Er is niets bewaard. Controleer beide; sommige registry’s willen een token in plaats van het wachtwoord.',
  ],
  [
    'That question has been answered, or is no longer open.',
    'Die vraag is beantwoord, of staat niet meer open.',
  ],
  ['Something is using the tunnel to {1}.', 'Iets gebruikt de tunnel naar {1}.'],
  ['A transfer is under way.', 'Er loopt een overdracht.'],
  ['{1} transfers are under way.', 'Er lopen {1} overdrachten.'],
  [
    'The registry was removed, or its settings changed.',
    'De registry is verwijderd, of zijn instellingen zijn veranderd.',
  ],
  [
    '{1} is used without a tunnel: there is nothing to connect.',
    '{1} wordt zonder tunnel gebruikt: er is niets te verbinden.',
  ],
  ['The settings of {1} were changed meanwhile.', 'De instellingen van {1} zijn intussen veranderd.'],
  ['The registry {1} was removed.', 'De registry {1} is verwijderd.'],
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
    '{1} is hier al ingesteld en leidt naar {2}; in het teambestand leidt die naar {3}.',
  ],
  [
    "Ask which is right. To take the file's: dockline remove {1}, and import again.",
    'Vraag welk klopt. Wilt u die van het bestand: verwijder {1}, en lees het bestand opnieuw.',
  ],
  ['The team file has no registries.', 'Het teambestand heeft geen registry’s.'],
  ['{1} cannot be used: {2}.', '{1} is niet te gebruiken: {2}.'],
  ['The team file does not read: {1}.', 'Het teambestand is niet te lezen: {1}.'],
  [
    'A team file is what `dockline team export` writes.',
    'Een teambestand is wat Dockline bij “Teambestand…” schrijft.',
  ],
  [
    'Update Dockline, or ask for a file that an older one wrote.',
    'Werk Dockline bij, of vraag om een bestand dat een oudere schreef.',
  ],
  ['{1} registries will be added.', 'Er worden {1} registry’s toegevoegd.'],
  ['1 registry will be added.', 'Er wordt 1 registry toegevoegd.'],
  ['1 is here already.', '1 is hier al.'],
  ['{1} are here already.', '{1} zijn hier al.'],
  [
    'Install it, or let your system start `dockline agent`.',
    'Installeer hem, of laat uw systeem `dockline agent` starten.',
  ],
  [
    'Give the registry an address of 127.0.0.0/8 yourself.',
    'Geef de registry zelf een adres uit 127.0.0.0/8.',
  ],
  ['The control socket {1} may not be opened.', 'De socket {1} mag niet worden geopend.'],
  ['It belongs to another account.', 'Hij is van een ander account.'],
  [
    "The Dockline that runs does not speak this program's control protocol.",
    'De Dockline die draait, spreekt niet het protocol van dit programma.',
  ],
  [
    'Quit the one that runs, so that the new version takes over.',
    'Sluit de Dockline die draait, zodat de nieuwe versie het overneemt.',
  ],
  ['Dockline is not running.', 'Dockline draait niet.'],
  ['Start the desktop app, or `dockline agent`.', 'Start de app, of `dockline agent`.'],
  ['The lock {1} cannot be used: {2}.', 'Het lock-bestand {1} is niet te gebruiken: {2}.'],
  [
    'Check that the folder is yours and on a file system with locks; DOCKLINE_HOME names another one.',
    'Kijk of de map van u is en op een bestandssysteem staat dat bestandsvergrendeling kent; DOCKLINE_HOME noemt een andere.',
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
    'Een host gebruikt een registry die hem wordt aangeboden.',
  ],
  ['Try again.', 'Probeer het opnieuw.'],
  ['`dockline doctor {1}` tries the way there.', 'De dokter loopt de weg erheen na.'],
  ['{1} is called {2} now.', '{1} heet nu {2}.'],
  [
    '{1} must be from {2} to {3}, and {4} is not.',
    '{1} moet tussen {2} en {3} liggen, en {4} doet dat niet.',
  ],
  ['{1} does not read as JSON: {2}.', '{1} is niet te lezen als JSON: {2}.'],
  [
    'Docker keeps logins there; docker itself says what is wrong with it.',
    'Docker bewaart daar logins; docker zelf zegt wat eraan mankeert.',
  ],
  [
    "Docker's config.json names it (credHelpers, credsStore). Install it, take it out there, or log in with dockline login.",
    'De config.json van Docker noemt hem (credHelpers, credsStore). Installeer hem, haal hem daar weg, of log in bij de registry.',
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
  ['The team file has no registry named {1}.', 'Het teambestand heeft geen registry die {1} heet.'],
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
    'Wacht tot dat klaar is, of dwing het af (dockline agent --stop --force).',
  ],
  [
    'Use it as it is, or end it first: dockline agent --stop',
    'Gebruik die zoals hij is, of stop hem eerst: dockline agent --stop',
  ],
  ['Give them: --username NAME --password-stdin', 'Geef ze bij “Inloggen bij de registry…”.'],
  ["The dial's task failed.", 'De taak van het verbinden mislukte.'],
  ['The registries cannot be written down: {1}.', 'De registry’s zijn niet weg te schrijven: {1}.'],
  ['{1!} will be added, {2!}.', 'Erbij: {1!}; {2!}.'],
  ['1 is here already, {1!}.', '1 is hier al; {1!}.'],
  ['{1} are here already, {2!}.', '{1} zijn hier al; {2!}.'],
  ['1 is to be decided.', '1 is nog te beslissen.'],
  ['{1} are to be decided.', '{1} zijn nog te beslissen.'],
  [
    'macOS runs Dockline from a copy that is gone after a restart, so it cannot start at login.',
    'macOS start Dockline vanuit een kopie die na een herstart weg is; daarom kan Dockline niet starten als u inlogt.',
  ],
  ['Move Dockline to Applications first.', "Zet Dockline eerst in Programma's."],
  [
    "The login was not kept: it is longer than this system's keyring takes.",
    'De login is niet bewaard: hij is langer dan de sleutelbos van dit systeem toelaat.',
  ],
  [
    "Log in with a shorter token, or name a credential helper for this registry in Docker's config.json (credHelpers).",
    'Log in met een korter token, of noem in config.json van Docker een credential helper voor deze registry (credHelpers).',
  ],
  [
    "See that Windows' service Credential Manager runs, or allow it: keyring = true in the configuration.",
    'Kijk of de Windows-service Referentiebeheer draait, of sta het toe bij Instellingen.',
  ],
  [
    'Unlock the login keychain in Keychain Access, or allow it: keyring = true in the configuration.',
    'Ontgrendel de sleutelhanger ‘inloggen’ in Sleutelhangertoegang, of sta het toe bij Instellingen.',
  ],
  [
    "The login for {1} is in this system's keyring, which is locked or does not answer.",
    'De login voor {1} staat in de sleutelbos van dit systeem, die op slot is of niet antwoordt.',
  ],
  ['Unlock the keyring and try again.', 'Ontgrendel de sleutelbos en probeer het opnieuw.'],
  [
    "The login for {1} is still in this system's keyring: it could not be deleted there.",
    'De login voor {1} staat nog in de sleutelbos van dit systeem: hij kon daar niet worden gewist.',
  ],
  [
    'DOCKLINE_KEYRING=off keeps Dockline away from the keyring. Unset it and log out again.',
    'DOCKLINE_KEYRING=off houdt Dockline weg van de sleutelbos. Haal die instelling weg en log opnieuw uit.',
  ],
  ['Start or unlock the keyring and log out again.', 'Start of ontgrendel de sleutelbos en log opnieuw uit.'],
  [
    'What is pushed to {1} goes on from {2} to {3}, another machine.',
    'Wat naar {1} gepusht wordt, gaat van {2} verder naar {3}, een andere machine.',
  ],
  [
    'The login that is kept for {1} will be given to whoever answers at the end of this way.',
    'De login die voor {1} bewaard is, wordt gegeven aan wie aan het einde van deze weg antwoordt.',
  ],
];
