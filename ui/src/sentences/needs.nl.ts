// What each kind of engine needs for docker push, and why: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const needs: readonly Pattern[] = [
  [
    '{1} is also a name in public DNS. Should this line ever go while an image or a script still says {2}, programs would turn to that machine instead; over HTTPS only, so that no password travels in the clear.',
    "{1} is ook een naam in de publieke DNS. Verdwijnt deze regel ooit terwijl een image of script nog {2} zegt, dan wenden programma's zich tot die andere machine; alleen via HTTPS, zodat er geen wachtwoord leesbaar reist.",
  ],
  [
    'Programs on this machine find each registry by its name.',
    "Programma's op deze computer vinden elke registry bij zijn naam.",
  ],
  [
    "The registry's certificate is one that every system trusts.",
    'Het certificaat van de registry wordt door elk systeem vertrouwd.',
  ],
  [
    'No registry is offered to containers, so dockerd needs no exception.',
    'Er wordt geen registry aan containers aangeboden, dus dockerd heeft geen uitzondering nodig.',
  ],
  [
    "Programs in containers on this machine can reach {1}, within the registry's access rules.",
    "Programma's in containers op deze computer kunnen {1} bereiken, binnen de toegangsregels van de registry.",
  ],
  [
    'The containerd image store speaks HTTP to loopback addresses, since daemon.json has a mirror or an insecure registry.',
    'De image-opslag van containerd spreekt HTTP met loopback-adressen, want daemon.json heeft een mirror of een onveilige registry.',
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
    "Push with `dockline push IMAGE`, which needs no setting. Or give the registry the address of a bridge that the engine's network reaches (“Address for containers” in the window, gateway in the configuration), then run dockline setup again.",
    'Push met Dockline zelf; daar is geen instelling voor nodig. Of geef de registry het adres van een bridge die het netwerk van de engine bereikt (“Adres voor containers” bij Bewerken), en stel daarna de engine opnieuw in met “docker push hier laten werken”.',
  ],
  [
    'Rootless dockerd reaches the registry at {1}, which is not a loopback address, and so wants leave to speak HTTP.',
    'Dockerd zonder root bereikt de registry op {1}; dat is geen loopback-adres, dus is er toestemming voor HTTP nodig.',
  ],
  [
    'Podman knows no exception for loopback addresses. While this setting is there, it would send a password in the clear to wherever the name leads; so undo it together with the line in the hosts file.',
    'Podman kent geen uitzondering voor loopback-adressen. Zolang deze instelling er staat, zou het een wachtwoord leesbaar sturen naar waar de naam ook heen leidt; draai die dus samen met de regel in het hosts-bestand terug.',
  ],
  [
    'Podman speaks HTTP only to registries that its settings name.',
    'Podman spreekt alleen HTTP met registry’s die zijn instellingen noemen.',
  ],
  [
    'The builder “{1}” runs in a container that does not see {2}; let the registry listen on a gateway address, or push with docker push after building with --load.',
    'De builder “{1}” draait in een container die {2} niet ziet; laat de registry op een gateway-adres luisteren, of bouw met --load en push met docker push.',
  ],
  [
    "The builder “{1}” runs in a container and reads this file instead of Docker's, when it is made.",
    'De builder “{1}” draait in een container en leest bij het maken dit bestand in plaats van dat van Docker.',
  ],
  [
    'The engine checks the certificate of {1} against this authority.',
    'De engine controleert het certificaat van {1} met deze autoriteit.',
  ],
  [
    "The registry's certificate has to be valid for the name by which the engine reaches it, {1}.",
    'Het certificaat van de registry moet gelden voor de naam waarmee de engine hem bereikt, {1}.',
  ],
  [
    "Compare the certificate's SHA-256 fingerprint with its owner's: {1}",
    'Vergelijk de SHA-256-vingerafdruk van het certificaat met die van de eigenaar: {1}',
  ],
  ['The certificate for {1} cannot be used: {2}.', 'Het certificaat voor {1} is niet te gebruiken: {2}.'],
  [
    'Docker from the snap reads no settings for single registries outside its own folder.',
    'Docker uit de snap leest buiten zijn eigen map geen instellingen voor losse registry’s.',
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
    'Push with `dockline push IMAGE` instead, which needs no setting.',
    'Push dan met Dockline zelf; daar is geen instelling voor nodig.',
  ],
  [
    'The engine runs in a virtual machine, where {1} means the machine itself; of this machine it sees 127.0.0.1 only, as {2}, and no port is left there for {3}.',
    'De engine draait in een virtuele machine, waar {1} die machine zelf betekent; van deze computer ziet hij alleen 127.0.0.1, als {2}, en daar is voor {3} geen poort meer over.',
  ],
  [
    "No registry that the engine's virtual machine reaches speaks HTTP.",
    'Geen registry die de virtuele machine van de engine bereikt, spreekt HTTP.',
  ],
  [
    "The engine's virtual machine reaches the registry at {1}, and wants leave to speak HTTP to it.",
    'De virtuele machine van de engine bereikt de registry op {1}, en heeft toestemming nodig om er HTTP mee te spreken.',
  ],
  [
    'Dockline does not know how {1} takes the certificate of a private authority.',
    'Dockline weet niet hoe {1} het certificaat van een eigen autoriteit aanneemt.',
  ],
  [
    'Add it by hand, or push with `dockline push IMAGE`, which needs no setting.',
    'Voeg het met de hand toe, of push met Dockline zelf; daar is geen instelling voor nodig.',
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
    'The engine goes through an HTTP proxy. Registries must be among its exceptions (NO_PROXY, now “{1}”), or the proxy is asked for them.',
    'De engine gaat via een HTTP-proxy. Registry’s moeten bij de uitzonderingen staan (NO_PROXY, nu “{1}”), anders wordt de proxy ernaar gevraagd.',
  ],
  [
    "Dockline listens for {1} at 127.0.0.1:{2} as well, since the engine runs in a virtual machine that gets to this machine's 127.0.0.1 only, as {3}.",
    'Dockline luistert voor {1} ook op 127.0.0.1:{2}, want de engine draait in een virtuele machine die van deze computer alleen 127.0.0.1 bereikt, als {3}.',
  ],
  [
    'dockerd does not check the certificate of a registry on a loopback address.',
    'Dockerd controleert het certificaat van een registry op een loopback-adres niet.',
  ],
  [
    'dockerd speaks HTTP to {1}, the address where containers reach the registry too.',
    'Dockerd spreekt HTTP met {1}, het adres waar ook containers de registry bereiken.',
  ],
  [
    'dockerd on this machine speaks HTTP by itself to every registry on a loopback address.',
    'Dockerd op deze computer spreekt uit zichzelf HTTP met elke registry op een loopback-adres.',
  ],
];
