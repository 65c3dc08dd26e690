// The system’s and the engine’s settings: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const setup: readonly Pattern[] = [
  ['Every setting that is needed is there already.', 'Elke instelling die nodig is, is er al.'],
  ['Nothing needs to be changed: {1!}', 'Er hoeft niets te veranderen: {1!}'],
  ["Dockline's part of {1} goes.", 'Het deel van Dockline in {1} gaat weg.'],
  [
    "Nothing of Dockline's is in any settings file.",
    'In geen enkel instellingenbestand staat iets van Dockline.',
  ],
  ['These files hold what Dockline added to them.', 'In deze bestanden staat wat Dockline toevoegde.'],
  [
    'Dockline changes {1!} so that docker push works here; nothing is restarted.',
    'Dockline verandert {1!} zodat docker push hier werkt; er wordt niets herstart.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; nothing is restarted.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; er wordt niets herstart.',
  ],
  [
    'Dockline changes {1!} so that docker push works here; no running container stops.',
    'Dockline verandert {1!} zodat docker push hier werkt; er stopt geen draaiende container.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; no running container stops.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; er stopt geen draaiende container.',
  ],
  [
    'Dockline changes {1!} so that docker push works here; the container {2} stops.',
    'Dockline verandert {1!} zodat docker push hier werkt; de container {2} stopt.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; the container {2} stops.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; de container {2} stopt.',
  ],
  [
    'Dockline changes {1!} so that docker push works here; {2} running containers stop.',
    'Dockline verandert {1!} zodat docker push hier werkt; {2} draaiende containers stoppen.',
  ],
  [
    "Dockline changes {1!} so that nothing of Dockline's is left in them; {2} running containers stop.",
    'Dockline verandert {1!} zodat er niets van Dockline in blijft; {2} draaiende containers stoppen.',
  ],
  [
    '{1} is also a name in public DNS. Should this line ever go while an image or a script still says {2}, programs would turn to that machine instead; over HTTPS only, so that no password travels in the clear.',
    "{1} is ook een naam in de publieke DNS. Verdwijnt deze regel ooit terwijl een image of script nog {2} zegt, dan wenden programma's zich tot die andere machine; alleen via HTTPS, zodat er geen wachtwoord leesbaar reist.",
  ],
  [
    'Programs on this machine find each registry by its name.',
    "Programma's op deze computer vinden elk register bij zijn naam.",
  ],
  [
    "The registry's certificate is one that every system trusts.",
    'Het certificaat van het register wordt door elk systeem vertrouwd.',
  ],
  [
    'No registry is offered to containers, so dockerd needs no exception.',
    'Er wordt geen register aan containers aangeboden, dus dockerd heeft geen uitzondering nodig.',
  ],
  [
    "Programs in containers on this machine can reach {1}, within the registry's access rules.",
    "Programma's in containers op deze computer kunnen {1} bereiken, binnen de toegangsregels van het register.",
  ],
  [
    'The containerd image store speaks HTTP to loopback addresses, since daemon.json has a mirror or an insecure registry.',
    'De image-opslag van containerd spreekt HTTP met loopback-adressen, want daemon.json heeft een spiegel of een onveilig register.',
  ],
  [
    'With its containerd image store, Docker would ask {1} over HTTPS otherwise.',
    'Met zijn containerd-opslag zou Docker {1} anders via HTTPS vragen.',
  ],
  [
    'Docker runs rootless here, in a network of its own, and does not see {1}, the loopback address of {2}.',
    'Docker draait hier zonder root, in een eigen netwerk, en ziet {1} niet, het loopback-adres van {2}.',
  ],
  [
    "Let the registry listen on a gateway address too (dockline add --gateway), or push without the engine's settings: docker save the image, and dockline push the file.",
    'Laat het register ook op een gateway-adres luisteren (“Adres voor containers” bij Bewerken), of push zonder de instellingen van de engine: docker save, en push dat bestand.',
  ],
  [
    'Rootless dockerd reaches the registry at {1}, which is not a loopback address, and so wants leave to speak HTTP.',
    'Dockerd zonder root bereikt het register op {1}; dat is geen loopback-adres, dus is er toestemming voor HTTP nodig.',
  ],
  [
    'Podman knows no exception for loopback addresses. While this setting is there, it would send a password in the clear to wherever the name leads; so undo it together with the line in the hosts file.',
    'Podman kent geen uitzondering voor loopback-adressen. Zolang deze instelling er staat, zou het een wachtwoord leesbaar sturen naar waar de naam ook heen leidt; draai haar dus samen met de regel in het hosts-bestand terug.',
  ],
  [
    'Podman speaks HTTP only to registries that its settings name.',
    'Podman spreekt alleen HTTP met registers die zijn instellingen noemen.',
  ],
  [
    'The builder “{1}” runs in a container that does not see {2}; let the registry listen on a gateway address, or push with docker push after building with --load.',
    'De builder “{1}” draait in een container die {2} niet ziet; laat het register op een gateway-adres luisteren, of bouw met --load en push met docker push.',
  ],
  [
    "The builder “{1}” runs in a container and reads this file instead of Docker's, when it is made.",
    'De builder “{1}” draait in een container en leest bij het maken dit bestand in plaats van dat van Docker.',
  ],
  [
    'The engine checks the certificate of {1} against this authority.',
    'De engine ziet het certificaat van {1} na bij deze autoriteit.',
  ],
  [
    "The registry's certificate has to be valid for the name by which the engine reaches it, {1}.",
    'Het certificaat van het register moet gelden voor de naam waarmee de engine het bereikt, {1}.',
  ],
  [
    "Compare the certificate's SHA-256 fingerprint with its owner's: {1}",
    'Vergelijk de SHA-256-vingerafdruk van het certificaat met die van de eigenaar: {1}',
  ],
  ['The certificate for {1} cannot be used: {2}.', 'Het certificaat voor {1} is niet te gebruiken: {2}.'],
  [
    "Give the authority's certificate as PEM (-----BEGIN CERTIFICATE-----).",
    'Geef het certificaat van de autoriteit als PEM (-----BEGIN CERTIFICATE-----).',
  ],
  [
    'Docker from the snap reads no settings for single registries outside its own folder.',
    'Docker uit de snap leest buiten zijn eigen map geen instellingen voor losse registers.',
  ],
  [
    "Install Docker from your distribution or from docker.com, or push without the engine's settings.",
    'Installeer Docker uit uw distributie of van docker.com, of push zonder de instellingen van de engine.',
  ],
  [
    "The engine runs on another machine ({1}), which does not see this machine's tunnels and whose settings are not Dockline's to change.",
    'De engine draait op een andere machine ({1}), die de tunnels van deze computer niet ziet en waarvan Dockline de instellingen niet mag veranderen.',
  ],
  [
    'The engine calls itself “{1}”, and Dockline does not know where such an engine keeps its settings.',
    "De engine noemt zich “{1}”, en Dockline weet niet waar zo'n engine zijn instellingen bewaart.",
  ],
  [
    'No Docker or Podman answers, so there is nothing to set up.',
    'Er antwoordt geen Docker of Podman, dus er valt niets in te stellen.',
  ],
  [
    'Start the engine and try again. An image archive can be pushed without one: dockline push FILE.tar.',
    'Start de engine en probeer het opnieuw. Een image-archief is zonder engine te pushen.',
  ],
  [
    "Push without the engine's settings instead: docker save the image, and dockline push the file.",
    'Push dan zonder de instellingen van de engine: bewaar het image met docker save, en push dat bestand.',
  ],
  [
    'The engine runs in a virtual machine, where {1} means the machine itself; of this machine it sees 127.0.0.1 only, as {2}, and no port is left there for {3}.',
    'De engine draait in een virtuele machine, waar {1} die machine zelf betekent; van deze computer ziet hij alleen 127.0.0.1, als {2}, en daar is voor {3} geen poort meer over.',
  ],
  [
    "No registry that the engine's virtual machine reaches speaks HTTP.",
    'Geen register dat de virtuele machine van de engine bereikt, spreekt HTTP.',
  ],
  [
    "The engine's virtual machine reaches the registry at {1}, and wants leave to speak HTTP to it.",
    'De virtuele machine van de engine bereikt het register op {1}, en heeft toestemming nodig om er HTTP mee te spreken.',
  ],
  [
    'Dockline does not know how {1} takes the certificate of a private authority.',
    'Dockline weet niet hoe {1} het certificaat van een eigen autoriteit aanneemt.',
  ],
  [
    "Add it by hand, or push without the engine's settings: docker save the image, and dockline push the file.",
    'Voeg het met de hand toe, of push zonder de instellingen van de engine: docker save, en push dat bestand.',
  ],
  [
    'Every program on this machine will trust the authority behind {1}, for any site.',
    'Elk programma op deze computer zal de autoriteit achter {1} vertrouwen, voor elke site.',
  ],
  [
    'The engine trusts the authorities that the operating system trusts, and no others.',
    'De engine vertrouwt de autoriteiten die het besturingssysteem vertrouwt, en geen andere.',
  ],
  [
    'Tell dockerd to read its settings again (SIGHUP).',
    'Dockerd zijn instellingen opnieuw laten lezen (SIGHUP).',
  ],
  [
    'Tell dockerd to read its settings again: systemctl --user reload docker.',
    'Dockerd zijn instellingen opnieuw laten lezen: systemctl --user reload docker.',
  ],
  [
    'Docker Desktop restarts. (Before 4.37: choose Restart in its menu.)',
    'Docker Desktop herstart. (Vóór 4.37: kies Restart in zijn menu.)',
  ],
  ['OrbStack restarts its Docker engine.', 'OrbStack herstart zijn Docker-engine.'],
  ['Rancher Desktop stops.', 'Rancher Desktop stopt.'],
  ['Rancher Desktop starts again.', 'Rancher Desktop start opnieuw.'],
  [
    "Dockline's settings inside Rancher Desktop's machine go.",
    'De instellingen van Dockline in de machine van Rancher Desktop gaan weg.',
  ],
  [
    'The same settings are written inside the Podman machine; nothing restarts.',
    'Dezelfde instellingen worden in de Podman-machine geschreven; er herstart niets.',
  ],
  [
    'The builder is removed, since builders read their settings only when they are made; its build cache goes with it.',
    'De builder wordt verwijderd, want builders lezen hun instellingen alleen bij het maken; zijn cache gaat mee.',
  ],
  [
    'The builder is made anew, with the new settings.',
    'De builder wordt opnieuw gemaakt, met de nieuwe instellingen.',
  ],
  ['The snap restarts Docker.', 'De snap herstart Docker.'],
  ['Windows restarts the Docker service.', 'Windows herstart de Docker-service.'],
  [
    'The operating system reads its trusted certificates again.',
    'Het besturingssysteem leest zijn vertrouwde certificaten opnieuw.',
  ],
  ['The operating system forgets the certificate.', 'Het besturingssysteem vergeet het certificaat.'],
  ['{1} could not be started: {2}.', '{1} kon niet worden gestart: {2}.'],
  ['{1} is left as it is: {2}.', '{1} blijft zoals het is: {2}.'],
  [
    '{1} changed after its plan was shown; nothing was written.',
    '{1} veranderde nadat het plan was getoond; er is niets geschreven.',
  ],
  [
    '{1} changed after the plan was shown; nothing was written.',
    '{1} veranderde nadat het plan was getoond; er is niets geschreven.',
  ],
  ['Look at the new plan and agree to it again.', 'Bekijk het nieuwe plan en stem er opnieuw mee in.'],
  [
    'Nothing was changed. If Dockline itself asked for it, please report it.',
    'Er is niets veranderd. Als Dockline er zelf om vroeg, meld het dan.',
  ],
  [
    'Dockline writes regular files only. Add the lines yourself where the link leads.',
    'Dockline schrijft alleen gewone bestanden. Voeg de regels zelf toe waar de koppeling heen leidt.',
  ],
  [
    'Check that the file exists and that you may read it.',
    'Kijk of het bestand bestaat en of u het mag lezen.',
  ],
  [
    'Check that the disk is neither full nor read-only, and that you may write the file.',
    'Kijk of de schijf niet vol of alleen-lezen is, en of u het bestand mag schrijven.',
  ],
  [
    'Nothing was changed. Check that the folder can be written.',
    'Er is niets veranderd. Kijk of in de map geschreven kan worden.',
  ],
  [
    'Nothing was changed. Look into {1} and move it away.',
    'Er is niets veranderd. Kijk in {1} en haal het weg.',
  ],
  [
    '{1} is written in place because {2}; a copy is kept in {3} until that is done.',
    '{1} wordt ter plaatse geschreven; tot dat klaar is, wordt een kopie bewaard in {3}.',
  ],
  [
    "Changing the system's settings takes an administrator's rights, and neither pkexec nor sudo is there to ask for them.",
    'Instellingen van het systeem veranderen vraagt de rechten van een beheerder, en er is geen pkexec of sudo om ze te vragen.',
  ],
  [
    "Changing the system's settings takes an administrator's rights, and the program that asks for them, dockline-helper, is not beside dockline.",
    'Instellingen van het systeem veranderen vraagt de rechten van een beheerder, en het programma dat ze vraagt, dockline-helper, staat niet naast dockline.',
  ],
  [
    'Install Dockline with its helper, set DOCKLINE_HELPER to its path, or run this command as root.',
    'Installeer Dockline met zijn helper, zet DOCKLINE_HELPER op het pad ervan, of voer deze opdracht uit als root.',
  ],
  [
    "Leave to change the system's settings was not given; nothing was changed.",
    'Er is geen toestemming gegeven om instellingen van het systeem te veranderen; er is niets veranderd.',
  ],
  [
    'Try again, or run this as an administrator: {1}',
    'Probeer het opnieuw, of voer dit uit als beheerder: {1}',
  ],
  [
    "The engine still speaks HTTP to {1}, by another setting than Dockline's.",
    'De engine spreekt nog steeds HTTP met {1}, door een andere instelling dan die van Dockline.',
  ],
  [
    'The engine still lists {1} among its insecure registries: it did not read its settings again.',
    'De engine noemt {1} nog bij zijn onveilige registers: hij heeft zijn instellingen niet opnieuw gelezen.',
  ],
  [
    'See its log for why (journalctl -u docker), and reload it: sudo systemctl reload docker',
    'Zijn log zegt waarom (journalctl -u docker); herlaad hem: sudo systemctl reload docker',
  ],
  [
    'The engine goes through an HTTP proxy. Registries must be among its exceptions (NO_PROXY, now “{1}”), or the proxy is asked for them.',
    'De engine gaat via een HTTP-proxy. Registers moeten bij de uitzonderingen staan (NO_PROXY, nu “{1}”), anders wordt de proxy ernaar gevraagd.',
  ],
  ['{1} is written.', '{1} is geschreven.'],
  ["{1} holds nothing of Dockline's any more.", '{1} bevat niets meer van Dockline.'],
  [
    "Dockline listens for {1} at 127.0.0.1:{2} as well, since the engine runs in a virtual machine that gets to this machine's 127.0.0.1 only, as {3}.",
    'Dockline luistert voor {1} ook op 127.0.0.1:{2}, want de engine draait in een virtuele machine die van deze computer alleen 127.0.0.1 bereikt, als {3}.',
  ],
  ['{1} asks for {2}', '{1} vraagt om {2}'],
  [
    'Nothing is set up for containers at {1}, since Dockline does not listen there: {2!}',
    'Voor containers op {1} is niets ingesteld, want Dockline luistert daar niet: {2!}',
  ],
  ['There was nothing to undo.', 'Er was niets terug te draaien.'],
  ["Dockline's change is undone.", 'De verandering van Dockline is teruggedraaid.'],
  ["Dockline's {1} changes are undone.", 'De {1} veranderingen van Dockline zijn teruggedraaid.'],
  [
    'The settings are written, but {1} does not get to {2} yet.',
    'De instellingen zijn geschreven, maar {1} komt nog niet bij {2}.',
  ],
  [
    'The settings are written; {1} could not be asked whether they work.',
    'De instellingen zijn geschreven; {1} kon niet gevraagd worden of ze werken.',
  ],
  [
    "Podman's service reads its settings again (SIGHUP); no container stops.",
    'De service van Podman leest zijn instellingen opnieuw (SIGHUP); er stopt geen container.',
  ],
  [
    'The files are written. Run it yourself: {1}; or take everything back: dockline setup --undo',
    'De bestanden zijn geschreven. Voer het zelf uit: {1}; of draai alles terug: dockline setup --undo',
  ],
  [
    '`{1}` failed, so the engine does not go by the new settings yet.',
    '`{1}` mislukte; daarom houdt de engine zich nog niet aan de nieuwe instellingen.',
  ],
  ['`{1}` did not end within {2} seconds.', '`{1}` was niet klaar binnen {2} seconden.'],
  ['Mend the file and try again.', 'Herstel het bestand en probeer het opnieuw.'],
  [
    'Save the file as UTF-8 without a byte order mark and try again.',
    'Bewaar het bestand als UTF-8 zonder byte order mark en probeer het opnieuw.',
  ],
  [
    'Write {1} into it, or remove it, and try again.',
    'Schrijf er {1} in, of verwijder het, en probeer het opnieuw.',
  ],
  [
    "Move the flag's value into the file, start the engine without the flag, and try again.",
    'Zet de waarde van de vlag in het bestand, start de engine zonder de vlag, en probeer het opnieuw.',
  ],
  [
    "Use the registry's loopback address, or the gateway of the container network.",
    'Gebruik het loopback-adres van het register, of de gateway van het containernetwerk.',
  ],
  [
    'Remove what it says about {1}, or keep it and set the engine up by hand.',
    'Verwijder wat er over {1} staat, of houd het en stel de engine met de hand in.',
  ],
  [
    'Move the file away, or keep it and set the engine up by hand.',
    'Haal het bestand weg, of houd het en stel de engine met de hand in.',
  ],
  [
    'If you added line {1} for an earlier tunnel, remove it and try again.',
    'Hebt u regel {1} voor een eerdere tunnel toegevoegd, verwijder hem dan en probeer het opnieuw.',
  ],
  ['{1} lacks one setting.', '{1} mist één instelling.'],
  ['{1} lacks {2} settings.', '{1} mist {2} instellingen.'],
  [
    'docker push works here: {1} asked {2}, and the registry answered.',
    'docker push werkt hier: {1} vroeg {2}, en het register antwoordde.',
  ],
  [
    'docker push works here: {1} asked {2}, and each registry answered.',
    'docker push werkt hier: {1} vroeg {2}, en elk register antwoordde.',
  ],
  [
    "Writing the settings; an administrator's leave may be asked for",
    'De instellingen worden geschreven; misschien wordt om toestemming van een beheerder gevraagd',
  ],
  ['Writing the settings', 'De instellingen worden geschreven'],
  ['Asking {1} what it goes by now', '{1} wordt gevraagd waar hij zich nu aan houdt'],
  ['{1} could not be read: {2}.', '{1} is niet te lezen: {2}.'],
  ['{1} could not be written: {2}.', '{1} is niet te schrijven: {2}.'],
  [
    'The journal in {1} could not be written or read: {2}.',
    'Het journaal in {1} is niet te schrijven of te lezen: {2}.',
  ],
  ["The journal in {1} is not one of Dockline's: {2}.", 'Het journaal in {1} is er geen van Dockline: {2}.'],
  [
    'dockerd does not check the certificate of a registry on a loopback address.',
    'Dockerd ziet het certificaat van een register op een loopback-adres niet na.',
  ],
  [
    'dockerd speaks HTTP to {1}, the address where containers reach the registry too.',
    'Dockerd spreekt HTTP met {1}, het adres waar ook containers het register bereiken.',
  ],
  [
    'dockerd on this machine speaks HTTP by itself to every registry on a loopback address.',
    'Dockerd op deze computer spreekt uit zichzelf HTTP met elk register op een loopback-adres.',
  ],
  [
    'dockerd reads its settings again; no container stops.',
    'Dockerd leest zijn instellingen opnieuw; er stopt geen container.',
  ],
  [
    'colima restarts, since its machine gets its settings at each start.',
    'Colima herstart, want zijn machine krijgt haar instellingen bij elke start.',
  ],
  [
    'dockerd is not running here; it will read its settings when it starts.',
    'Dockerd draait hier niet; het leest zijn instellingen als het start.',
  ],
  [
    'more than one dockerd is running, so none was told to read its settings again.',
    'Er draait meer dan één dockerd; daarom kreeg geen ervan te horen zijn instellingen opnieuw te lezen.',
  ],
  [
    'dockerd could not be told to read its settings again: {1}.',
    'Dockerd kon niet gevraagd worden zijn instellingen opnieuw te lezen: {1}.',
  ],
];
