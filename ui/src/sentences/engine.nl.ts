// Docker and Podman, and the road of an image: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const engine: readonly Pattern[] = [
  [
    'Docker is running, but you may not use it: {1} does not open.',
    'Docker draait, maar u mag het niet gebruiken: {1} gaat niet open.',
  ],
  [
    'Add yourself to the docker group (`sudo usermod -aG docker $USER`) and log in again; members of it are as good as root on this machine. Rootless Docker or Podman needs no group.',
    'Voeg uzelf toe aan de groep docker (`sudo usermod -aG docker $USER`) en log opnieuw in; leden ervan zijn zo goed als root op deze computer. Rootless Docker en Podman hebben geen groep nodig.',
  ],
  ['Docker is not running: nothing answers at {1}.', 'Docker draait niet: op {1} antwoordt niets.'],
  [
    'Start Docker (`sudo systemctl start docker`, or Docker Desktop) and try again; if it runs elsewhere, set DOCKER_HOST.',
    'Start Docker (`sudo systemctl start docker`, of Docker Desktop) en probeer het opnieuw; draait het elders, zet dan DOCKER_HOST.',
  ],
  [
    "The engine's address {1} (from {2}) cannot be used: {3}.",
    'Het adres van de engine {1} (uit {2}) is niet te gebruiken: {3}.',
  ],
  [
    'Choose an engine on this machine with `docker context use`, or unset DOCKER_HOST.',
    'Kies een engine op deze computer met `docker context use`, of haal DOCKER_HOST weg.',
  ],
  ['The Docker context “{1}” cannot be read from {2}.', 'De Docker-context “{1}” is niet te lezen uit {2}.'],
  [
    '`docker context ls` lists the contexts there are; `docker context use default` goes back.',
    '`docker context ls` noemt de contexten die er zijn; `docker context use default` gaat terug.',
  ],
  [
    'A reference looks like cr.boss.org:5000/app:v1, in lower case up to the tag.',
    'Een verwijzing ziet eruit als cr.boss.org:5000/app:v1, in kleine letters tot aan de tag.',
  ],
  [
    'The engine stopped answering while it should {1} {2}.',
    'De engine antwoordde niet meer terwijl hij met {2} bezig was.',
  ],
  ['The engine did not {1}.', 'Het lukte de engine niet om {1}.'],
  [
    'See whether Docker was restarted, and try again.',
    'Kijk of Docker opnieuw is gestart, en probeer het opnieuw.',
  ],
  ['The engine has no image called {1}.', 'De engine heeft geen image dat {1} heet.'],
  ['`docker images` lists those it has.', '`docker images` noemt de images die er zijn.'],
  ['“{1}” is not an image reference.', '“{1}” is geen verwijzing naar een image.'],
  ["Check the repository's name and the tag.", 'Controleer de naam van de repository en de tag.'],
  [
    "{1} exists, but was not built for this machine's platform.",
    '{1} bestaat, maar is niet gebouwd voor het platform van deze computer.',
  ],
  [
    'Build it for this platform as well (`docker buildx build --platform …`).',
    'Bouw het ook voor dit platform (`docker buildx build --platform …`).',
  ],
  [
    'The registry wants a login before it lets the engine {1} {2}.',
    'U moet bij de registry inloggen voordat de engine verder mag met {2}.',
  ],
  ['Log in with `dockline login {1}` and try again.', 'Log in bij de registry en probeer het opnieuw.'],
  [
    '{1} asks the engine for a certificate, and the engine shows none that it takes.',
    '{1} vraagt de engine om een certificaat, en de engine toont er geen dat wordt aangenomen.',
  ],
  [
    'Put a client.cert that the registry takes and its client.key into /etc/docker/certs.d/{1}, or leave the engine out of it (--direct).',
    'Zet een client.cert dat de registry aanneemt, en de client.key erbij, in /etc/docker/certs.d/{1}, of kies de route “Rechtstreeks”.',
  ],
  ['Log in with `docker login {1}` and try again.', 'Log in met `docker login {1}` en probeer het opnieuw.'],
  [
    'The registry does not allow this login to {1} {2}.',
    'De registry staat deze login dit niet toe met {2}.',
  ],
  [
    'Log in as someone who may (`docker login {1}`), or ask for the right to.',
    'Log in als iemand die het mag (`docker login {1}`), of vraag om het recht.',
  ],
  [
    'The registry does not take {1}: it is set to read-only, or is a mirror.',
    'De registry neemt {1} niet aan: die is alleen-lezen, of is een mirror.',
  ],
  [
    'Ask whoever runs the registry when it takes pushes again.',
    'Vraag wie de registry beheert wanneer die weer pushes aanneemt.',
  ],
  [
    'The registry took a part of {1} and then no more: its disk is full, most likely.',
    'De registry nam een deel van {1} en daarna niets meer: waarschijnlijk is zijn schijf vol.',
  ],
  [
    "Look at `df -h` on the registry's host, and for “no space left on device” in the registry's log. Make room (delete tags, then run the registry's garbage collection) and push again: layers that have arrived are not sent twice.",
    'Kijk op de host van de registry naar `df -h`, en in het log van de registry naar “no space left on device”. Maak ruimte (verwijder tags, en laat daarna de garbage collection lopen) en push opnieuw: lagen die aankwamen worden geen tweede keer verzonden.',
  ],
  [
    'The registry failed when the engine asked it to {1} {2}.',
    'Er ging iets mis in de registry toen de engine met {2} bezig was.',
  ],
  [
    'Its log says why (`docker logs registry` on its host); a full disk is the usual reason.',
    'Zijn log zegt waarom (`docker logs registry` op zijn host); een volle schijf is de gewone reden.',
  ],
  [
    "The engine's own disk is full, so it cannot {1} {2}.",
    'De schijf van de engine zelf is vol; daarom kan hij niet verder met {2}.',
  ],
  [
    '`docker system df` shows what takes the room, `docker system prune` makes some.',
    '`docker system df` toont wat de ruimte neemt, `docker system prune` maakt ruimte.',
  ],
  ['The engine does not know the name {1}.', 'De engine kent de naam {1} niet.'],
  [
    "Run `dockline setup`, which enters it in this machine's hosts file. If that was just done, try again in five seconds: engines go by the old file for so long. An engine in a virtual machine has a hosts file of its own.",
    'Laat Dockline de naam in het hosts-bestand zetten (“docker push hier laten werken”). Is dat net gebeurd, probeer het dan over vijf seconden: zo lang houdt een engine zich aan het oude bestand. Een engine in een virtuele machine heeft zijn eigen hosts-bestand.',
  ],
  ['Nothing listens at {1} as the engine sees it.', 'Vanuit de engine gezien luistert er niets op {1}.'],
  [
    'See that Dockline is running here. A rootless engine, or one in a virtual machine, has a loopback of its own and does not see this one.',
    'Kijk of Dockline hier draait. Een engine zonder root, of in een virtuele machine, heeft een eigen loopback en ziet deze niet.',
  ],
  ['The engine has no way to {1}.', 'De engine heeft geen weg naar {1}.'],
  [
    'If the engine uses a proxy, add {1} to its NO_PROXY setting.',
    'Gebruikt de engine een proxy, zet {1} dan bij zijn NO_PROXY.',
  ],
  [
    'The engine insists on HTTPS for {1}, which speaks HTTP inside the tunnel.',
    'De engine wil per se HTTPS voor {1}, dat binnen de tunnel HTTP spreekt.',
  ],
  [
    "Run `dockline setup`: it shows what this engine needs for {1}. Or use the registry's 127.x address, which Docker takes as plain HTTP.",
    '“docker push hier laten werken” toont wat deze engine voor {1} nodig heeft. Of gebruik het 127.x-adres van de registry, dat Docker als gewone HTTP neemt.',
  ],
  ['The engine does not trust the certificate of {1}.', 'De engine vertrouwt het certificaat van {1} niet.'],
  [
    'Put the certificate of its CA at {1}; no restart is needed.',
    'Zet het certificaat van zijn CA in {1}; herstarten is niet nodig.',
  ],
  [
    'The tunnel answers, but no registry behind it: the connection to {1} was closed at once.',
    'De tunnel antwoordt, maar geen registry erachter: de verbinding met {1} werd meteen gesloten.',
  ],
  [
    'See that the registry runs on its host (`docker ps`) and listens on the configured port.',
    'Kijk of de registry op zijn host draait (`docker ps`) en op de ingestelde poort luistert.',
  ],
  [
    'The connection to {1} was lost on the way, and the engine gave up trying.',
    'De verbinding met {1} ging onderweg verloren, en de engine gaf het op.',
  ],
  [
    'Try again when the host can be reached: layers that have arrived are not sent twice.',
    'Probeer het opnieuw als de host te bereiken is: lagen die aankwamen worden geen tweede keer verzonden.',
  ],
  ['{1} did not answer the engine in time.', '{1} antwoordde de engine niet op tijd.'],
  [
    'See whether the host can be reached (`dockline status`) and its registry runs.',
    'Kijk of de host te bereiken is en of zijn registry draait.',
  ],
  ['The engine could not push {1}.', 'De engine kon {1} niet pushen.'],
  ['The engine could not pull {1}.', 'De engine kon {1} niet ophalen.'],
  ['The engine could not export {1}.', 'De engine kon {1} niet exporteren.'],
  ['The engine could not {1} {2}.', 'De engine kon niet verder met {2}.'],
  ['Through the engine, as you asked.', 'Via de engine, zoals u vroeg.'],
  ['Directly: the registry has every layer already.', 'Rechtstreeks: de registry heeft alle lagen al.'],
  [
    "Through the engine: containerd's store keeps layers compressed, and sends only what is new.",
    'Via de engine: de opslag van containerd bewaart lagen gecomprimeerd, en verzendt alleen wat nieuw is.',
  ],
  [
    'Through the engine: Podman packs on all cores itself, and sends only what is new.',
    'Via de engine: Podman comprimeert zelf op alle kernen, en verzendt alleen wat nieuw is.',
  ],
  [
    'Directly, with no engine; everything goes as it is in the archive.',
    'Rechtstreeks, zonder engine; alles gaat zoals het in het archief staat.',
  ],
  [
    'Directly, as you asked; the engine gets the image from Dockline.',
    'Rechtstreeks, zoals u vroeg; de engine krijgt het image van Dockline.',
  ],
  ['Directly, as you asked; {1!}.', 'Rechtstreeks, zoals u vroeg; {1!}.'],
  [
    'Directly, since the engine packs layers in its own way; {1!}.',
    'Rechtstreeks, want de engine comprimeert lagen op zijn eigen manier; {1!}.',
  ],
  ['Directly: {1!} to the registry and {2!}; {3!}.', 'Rechtstreeks: {1!} voor de registry en {2!}; {3!}.'],
  [
    'Through the engine: {1!}, and the engine begins to send at once.',
    'Via de engine: {1!}, en de engine begint meteen met verzenden.',
  ],
  [
    'Through the engine: {1!} to the registry, and Docker would export all of the image.',
    'Via de engine: {1!} voor de registry, en Docker zou het hele image moeten exporteren.',
  ],
  [
    'Directly, with no engine; uncompressed layers go {1!}.',
    'Rechtstreeks, zonder engine; ongecomprimeerde lagen worden {1!}.',
  ],
  [
    'Directly: {1!} to the registry, but Docker would send {2} again; {3!}.',
    'Rechtstreeks: {1!} voor de registry, maar Docker zou er {2} opnieuw verzenden; {3!}.',
  ],
  [
    'Directly, with all that the engine has of it; everything goes as it is.',
    'Rechtstreeks, met alles wat de engine ervan heeft; alles gaat zoals het is.',
  ],
  [
    'The image goes without its attestations (--all-platforms takes them as well).',
    'Het image gaat zonder zijn attestations (“Alle platforms ervan” neemt ze ook mee).',
  ],
  [
    'The image goes without its attestations, which the engine has as well (--engine lets it send what it has).',
    'Het image gaat zonder zijn attestations, die de engine ook heeft (“Via de engine” verzendt wat hij heeft).',
  ],
  [
    '{1} is a list of images, and Podman hands over only one of them.',
    '{1} is een lijst van images, en Podman geeft er maar één van af.',
  ],
  [
    'Let Podman send all of it: podman manifest push --all {1} …',
    'Laat Podman alles verzenden: podman manifest push --all {1} …',
  ],
  [
    'The engine does not have all of {1}: it lacks {2}, and so does the registry.',
    'De engine heeft niet alles van {1}: {2} ontbreekt, ook in de registry.',
  ],
  [
    'Push it without --all-platforms, or move all of it from registry to registry: dockline copy FROM TO --all-platforms',
    'Push het zonder alle platforms, of kopieer alles van registry naar registry, met alle platforms.',
  ],
  [
    "Only {1} is taken, this machine's platform; another one is left (--all-platforms takes both).",
    'Alleen {1} gaat mee, het platform van deze computer; het andere blijft achter (“Alle platforms ervan” neemt beide mee).',
  ],
  [
    "Only {1} is taken, this machine's platform; {2} others are left (--all-platforms takes all).",
    'Alleen {1} gaat mee, het platform van deze computer; {2} andere blijven achter (“Alle platforms ervan” neemt alle mee).',
  ],
  [
    'The registry did not let the engine {1} {2}: it has been asked too often.',
    'De registry liet de engine niet verder met {2}: er is te vaak iets aan gevraagd.',
  ],
  [
    'Wait a while and try again, or log in: registries that set a limit, Docker Hub among them, let those who are logged in ask more often.',
    "Wacht even en probeer het opnieuw, of log in: registry's met een limiet, waaronder Docker Hub, laten wie ingelogd is vaker vragen.",
  ],
  [
    'The engine has only one platform of this image, and sent that alone, under a digest of its own.',
    'De engine heeft maar één platform van dit image, en verstuurde alleen dat, onder een eigen digest.',
  ],
  [
    'The engine has only {1} of this image, and sent that alone, under a digest of its own.',
    'De engine heeft alleen {1} van dit image, en verstuurde alleen dat, onder een eigen digest.',
  ],
  [
    "Only {1} is taken, this machine's platform; the engine has another one as well (--engine lets it send what it has).",
    'Alleen {1} wordt genomen, het platform van deze machine; de engine heeft er nog een (“Via de engine” verstuurt wat die heeft).',
  ],
  [
    "Only {1} is taken, this machine's platform; the engine has {2} others as well (--engine lets it send what it has).",
    'Alleen {1} wordt genomen, het platform van deze machine; de engine heeft er nog {2} (“Via de engine” verstuurt wat die heeft).',
  ],
];
