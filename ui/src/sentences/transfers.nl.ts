// Images on their way, what is asked for them, and offers: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const transfers: readonly Pattern[] = [
  [
    'Choose another folder, or look at its permissions and the free space.',
    'Kies een andere map, of controleer de rechten en de vrije ruimte.',
  ],
  [
    'Dockline was ended before this transfer was.',
    'Dockline werd beëindigd voordat deze overdracht klaar was.',
  ],
  [
    'Try it again: what the registry has already is not sent twice.',
    'Probeer het opnieuw: wat de registry al heeft, wordt geen tweede keer verzonden.',
  ],
  ["“{1}” is not a host's name.", '“{1}” is geen naam van een host.'],
  ['Write it as you would after ssh: user@host.', 'Schrijf het zoals na ssh: gebruiker@host.'],
  [
    'A registry is offered at 127.0.0.1:{1} of {2} already.',
    'Er wordt al een registry aangeboden op 127.0.0.1:{1} van {2}.',
  ],
  ['Use that one, or choose another port for this one.', 'Gebruik die, of kies een andere poort voor deze.'],
  ['That registry is not offered any more.', 'Die registry wordt niet meer aangeboden.'],
  ['A push needs a tag, not a digest.', 'Een push heeft een tag nodig, geen digest.'],
  ['A copy needs a tag, not a digest.', 'Een kopie heeft een tag nodig, geen digest.'],
  [
    'A shipped image needs a tag, not a digest.',
    'Een image dat naar een Docker gaat, heeft een tag nodig, geen digest.',
  ],
  [
    'Say what it is to be called there: cr.boss.org/app:v1',
    'Zeg hoe het daar moet heten: cr.boss.org/app:v1',
  ],
  ['Say what it is to be called there: --as app:v1', 'Zeg hoe het daar moet heten, zoals app:v1.'],
  [
    'Say what it is to be called at the registry, such as app:v1.',
    'Zeg hoe het in de registry moet heten, zoals app:v1.',
  ],
  [
    'The copy would have the place and the name of the original.',
    'De kopie zou de plaats en de naam van het origineel hebben.',
  ],
  ['Give it another registry, or another name.', 'Geef de kopie een andere registry, of een andere naam.'],
  ['{1} exists already.', '{1} bestaat al.'],
  ['Choose another file name, or remove it first.', 'Kies een andere bestandsnaam, of verwijder het eerst.'],
  ['Either all platforms or one of them.', 'Alle platforms, of één ervan.'],
  [
    'An engine keeps nothing that refers to an image: no signatures, and no SBOMs beside it.',
    'Een engine bewaart niets wat naar een image verwijst: geen handtekeningen, en geen SBOM’s ernaast.',
  ],
  [
    'From registry to registry all of it can be moved: dockline copy FROM TO --all-platforms --referrers',
    'Van registry naar registry kan alles mee: kopieer het, met alle platforms en wat ernaar verwijst.',
  ],
  [
    'An engine decides itself how much of an image it sends.',
    'Een engine bepaalt zelf hoeveel van een image hij verzendt.',
  ],
  ['Leave --engine out, or --all-platforms.', 'Kies “Rechtstreeks”, of laat “Alle platforms ervan” weg.'],
  ['{1} is not a reference of {2}.', '{1} is geen verwijzing van {2}.'],
  ['Leave the registry out of it: team/app:v1.', 'Laat de registry eruit weg: team/app:v1.'],
  ['“{1}” does not say which registry is meant.', '“{1}” zegt niet welke registry bedoeld is.'],
  ['Write it as cr.boss.org/app:v1.', 'Schrijf het als cr.boss.org/app:v1.'],
  ['{1} is not an absolute path.', '{1} is geen volledig pad.'],
  ['The image in {1} has no name.', 'Het image in {1} heeft geen naam.'],
  ['{1} holds {2} images: {3}.', '{1} bevat {2} images: {3}.'],
  [
    'Say which of them to push (--image), or its repository and tag at the registry.',
    'Zeg onder “Meer opties” welk ervan, of geef de naam in de registry.',
  ],
  ['The transfer was stopped.', 'De overdracht is gestopt.'],
  ['{1} has {2} as {3}, but {4} was transferred.', '{1} heeft {2} als {3}, maar {4} is overgebracht.'],
  [
    'Somebody else may have pushed the same tag meanwhile; try again.',
    'Misschien heeft iemand anders intussen dezelfde tag gepusht; probeer het opnieuw.',
  ],
  ['{1} has {2} as {3}, but {4} was shipped.', '{1} heeft {2} als {3}, maar {4} is gestuurd.'],
  [
    'Somebody else may have given the same name there meanwhile; try again.',
    'Misschien heeft iemand daar intussen dezelfde naam gegeven; probeer het opnieuw.',
  ],
  ['Docker on {1} did not answer.', 'Docker op {1} antwoordde niet.'],
  ['See there whether `docker version` answers.', 'Kijk daar of `docker version` antwoordt.'],
  ['Docker {1} on {2} is too old to be shipped to.', 'Docker {1} op {2} is te oud om images naar te sturen.'],
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
    'Maak daar ruimte (docker image prune) en stuur opnieuw; lagen die aankwamen blijven bewaard.',
  ],
  ['Docker on {1} could not take the image.', 'Docker op {1} kon het image niet aannemen.'],
  [
    'Its own words are in the details; its log there may say more.',
    'Zijn eigen woorden staan bij de details; zijn log daar zegt misschien meer.',
  ],
  [
    'The docker of {1} is Podman, and images are shipped to Docker only.',
    'De docker van {1} is Podman, en images gaan alleen naar Docker.',
  ],
  [
    'There, use: docker save IMAGE | ssh HOST podman load',
    'Gebruik daar: docker save IMAGE | ssh HOST podman load',
  ],
  [
    "The shell on {1} says something before every program, so Docker's answers cannot be read.",
    'De shell op {1} zegt iets voor elk programma; daardoor zijn de antwoorden van Docker niet te lezen.',
  ],
  [
    'Let its start-up files there, such as ~/.bashrc, say nothing where there is no terminal.',
    'Laat zijn opstartbestanden daar, zoals ~/.bashrc, zwijgen waar geen terminal is.',
  ],
  [
    '{1} has not noticed that the connection was lost, and its Docker still waits for the image there.',
    '{1} heeft niet gemerkt dat de verbinding verloren ging, en zijn Docker wacht daar nog op het image.',
  ],
  [
    'End that SSH session on the host, or wait until it ends, and ship again; layers that arrived are kept.',
    'Beëindig die SSH-sessie op de host, of wacht tot ze eindigt, en stuur opnieuw; lagen die aankwamen blijven bewaard.',
  ],
  [
    'A layer of {1} is packed to other bytes each time.',
    'Een laag van {1} wordt telkens tot andere bytes gecomprimeerd.',
  ],
  [
    'An image cannot be called by an IPv6 address: {1}.',
    'Een image kan niet naar een IPv6-adres heten: {1}.',
  ],
  ['There is no Docker on {1}.', 'Er is geen Docker op {1}.'],
  [
    'Install Docker there, or name a host that has it.',
    'Installeer Docker daar, of noem een host die het heeft.',
  ],
  ['On {1}, {2} may not use Docker.', 'Op {1} mag {2} Docker niet gebruiken.'],
  [
    'Add that user to the group docker there (sudo usermod -aG docker {1}), or log in as another.',
    'Voeg die gebruiker daar toe aan de groep docker (sudo usermod -aG docker {1}), of log in als een ander.',
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
    'Annuleer die; begint u opnieuw, dan worden lagen die aankwamen niet nog eens verzonden.',
  ],
  ['The transfer has not ended yet.', 'De overdracht is nog niet voorbij.'],
  ['Cancel it first, or wait for its end.', 'Annuleer die eerst, of wacht op het einde.'],
  ['There is no transfer {1}.', 'Er is geen overdracht {1}.'],
  [
    'An image is kept there until the engine has it; see that there is room.',
    'Daar staat een image totdat de engine het heeft; zorg dat er ruimte is.',
  ],
  [
    "Its engine is on another machine, which has no way to this one's tunnels.",
    'Zijn engine staat op een andere machine, die geen weg naar de tunnels van deze heeft.',
  ],
  [
    'An archive goes to the registry directly; no engine takes part.',
    'Een archief gaat rechtstreeks naar de registry; er doet geen engine mee.',
  ],
  ['{1} is no host of {2}.', '{1} is geen host van {2}.'],
  ['`dockline status` shows the hosts of a registry.', 'De kaart van de registry toont zijn hosts.'],
  [
    'The engine decides itself how it compresses layers.',
    'De engine beslist zelf hoe hij lagen comprimeert.',
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
    'Controleer de schijf van de map en wie daar mag schrijven.',
  ],
  [
    'The image could not be written to a temporary file: {1}.',
    'Het image was niet naar een tijdelijk bestand te schrijven: {1}.',
  ],
  ['Dockline cannot listen on 127.0.0.1: {1}.', 'Dockline kan niet luisteren op 127.0.0.1: {1}.'],
  [
    'Leave --engine out, or load the archive into the engine first.',
    'Kies de route “Rechtstreeks”, of laad het archief eerst in de engine.',
  ],
  [
    'Leave --engine out, or --compression and --level.',
    'Kies de route “Rechtstreeks”, of laat de compressie aan de engine over.',
  ],
  [
    'There are no levels where nothing is compressed.',
    'Waar niets wordt gecomprimeerd, zijn er geen niveaus.',
  ],
  [
    'There is no level {1}; the levels are {2} to {3}.',
    'Er is geen niveau {1}; de niveaus zijn {2} tot en met {3}.',
  ],
  ['{1} is no transfer.', '{1} is geen overdracht.'],
  ['An image is shipped without a registry.', 'Een image gaat zonder registry naar een host.'],
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
    "Push with `dockline push IMAGE`, which needs no setting. Or give the registry the address of a bridge that the engine's network reaches (“Address for containers” in the window, gateway in the configuration), then run dockline setup {1} again.",
    'Push met Dockline zelf; daar is geen instelling voor nodig. Of geef de registry het adres van een bridge die het netwerk van de engine bereikt (“Adres voor containers” bij Bewerken), en stel daarna de engine opnieuw in met “docker push hier laten werken”.',
  ],
  ['Nothing was there to be shipped.', 'Er was niets om te sturen.'],
];
