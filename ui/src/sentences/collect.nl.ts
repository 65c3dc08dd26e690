// A registry’s garbage: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const collect: readonly Pattern[] = [
  [
    'A transfer of {1} is under way, which stopping the registry would break.',
    'Er loopt een overdracht van {1}; die zou breken als de registry stopt.',
  ],
  ['Wait until it has finished, or cancel it.', 'Wacht tot die klaar is, of annuleer die.'],
  [
    "Run the registry's own collector there: registry garbage-collect CONFIG",
    'Laat daar het eigen programma van de registry lopen: registry garbage-collect CONFIG',
  ],
  [
    '{1} is reached without SSH, so nothing can be run on its host.',
    '{1} wordt zonder SSH bereikt, dus op zijn host kan niets worden uitgevoerd.',
  ],
  [
    'Such a registry has a clean-up of its own; its administrator knows it.',
    "Zo'n registry heeft een eigen opruiming; wie hem beheert, kent die.",
  ],
  [
    'The registry runs on {1}, behind the host that Dockline logs in at.',
    'De registry draait op {1}, achter de host waar Dockline inlogt.',
  ],
  [
    'The registry listens at the socket {1}, and is found only by a port.',
    'De registry luistert op de socket {1}, en wordt alleen bij een poort gevonden.',
  ],
  [
    'The registry is stopped while that is removed, and started again after it. Whoever pushes or pulls meanwhile is refused; an upload that is under way begins again.',
    'De registry wordt gestopt terwijl dat wordt weggehaald, en daarna weer gestart. Wie intussen pusht of ophaalt, wordt geweigerd; een upload die loopt, begint opnieuw.',
  ],
  [
    'Images that no tag leads to any more stay, unless those are asked for as well (registries of version 3).',
    'Images waar geen tag meer heen leidt blijven, tenzij ook daarom gevraagd wordt (registry’s van versie 3).',
  ],
  [
    'The host finishes what it has begun, and starts the registry again.',
    'De host maakt af wat hij begon, en start de registry weer.',
  ],
  ['{1} may log in on {2} and run nothing there.', '{1} mag op {2} inloggen en daar niets uitvoeren.'],
  ['Name a login that may: --ssh root@HOST', 'Noem een login die het mag, zoals root@HOST.'],
  ['{1} did not say what became of it.', '{1} zei niet wat ervan geworden is.'],
  [
    'See there whether the registry runs, and look again.',
    'Kijk daar of de registry draait, en kijk opnieuw.',
  ],
  ['See there whether the registry runs.', 'Kijk daar of de registry draait.'],
  ['Nothing listens at port {1} of {2}.', 'Op poort {1} van {2} luistert niets.'],
  [
    'Start the registry there; `dockline doctor` shows what the tunnel meets with.',
    'Start de registry daar; de dokter toont wat de tunnel tegenkomt.',
  ],
  [
    "{1} may not look after the registry on {2}: that takes Docker's group, sudo or root.",
    '{1} mag de registry op {2} niet beheren: daarvoor is de groep van Docker, sudo of root nodig.',
  ],
  [
    "What listens at port {1} of {2} is not Distribution's registry.",
    'Wat op poort {1} van {2} luistert, is niet de registry van Distribution.',
  ],
  [
    'Nexus, Harbor, Zot and others collect their garbage by themselves, or in their own settings.',
    'Nexus, Harbor, Zot en andere ruimen hun afval zelf op, of in hun eigen instellingen.',
  ],
  [
    'The registry on {1} is neither a container nor a systemd service, so it cannot be stopped and started from here.',
    'De registry op {1} is geen container en geen systemd-service, dus die is vanaf hier niet te stoppen en te starten.',
  ],
  [
    'Stop it there, run its own collector (registry garbage-collect CONFIG), and start it again.',
    'Stop hem daar, laat het eigen opruimprogramma lopen (registry garbage-collect CONFIG), en start hem weer.',
  ],
  [
    "The registry's container on {1} is removed when it is stopped (--rm).",
    'De container van de registry op {1} wordt verwijderd als hij stopt (--rm).',
  ],
  [
    'Start it without --rm, or collect by hand: docker exec CONTAINER registry garbage-collect CONFIG, while nobody pushes, and then restart it.',
    'Start hem zonder --rm, of ruim met de hand op: docker exec CONTAINER registry garbage-collect CONFIG, terwijl niemand pusht, en herstart hem dan.',
  ],
  [
    'The registry on {1} belongs to a cluster, which would start it again at once.',
    'De registry op {1} hoort bij een cluster, dat hem meteen weer zou starten.',
  ],
  [
    'Scale it down there, collect, and scale it up again.',
    'Schaal de registry daar af, ruim op, en schaal hem weer op.',
  ],
  [
    'The registry on {1} keeps its images in the container itself, not in a volume.',
    'De registry op {1} bewaart zijn images in de container zelf, niet in een volume.',
  ],
  [
    'Collect by hand while nobody pushes: docker exec CONTAINER registry garbage-collect CONFIG; then restart it.',
    'Ruim met de hand op terwijl niemand pusht: docker exec CONTAINER registry garbage-collect CONFIG; herstart hem dan.',
  ],
  [
    'The registry on {1} is another one than when the plan was shown.',
    'De registry op {1} is een andere dan toen het plan werd getoond.',
  ],
  ['Look again, and then collect.', 'Kijk opnieuw, en ruim dan op.'],
  [
    'Before version 3.0, a registry that removes what has no tag removes the platforms of multi-platform images with it.',
    'Vóór versie 3.0 haalt een registry die weghaalt wat geen tag heeft, ook de platforms van images voor meerdere platforms weg.',
  ],
  [
    'Leave --untagged out, or update the registry to version 3 first.',
    'Haal het vinkje weg, of werk de registry eerst bij naar versie 3.',
  ],
  [
    'The registry on {1} could not be stopped. It serves on, and nothing was removed.',
    'De registry op {1} was niet te stoppen. Die werkt door, en er is niets weggehaald.',
  ],
  ["The host's own words are in the details.", 'De eigen woorden van de host staan bij de details.'],
  [
    'The registry on {1} was stopped and did not come back.',
    'De registry op {1} werd gestopt en kwam niet terug.',
  ],
  ['Start it there, and look into its log.', 'Start hem daar, en kijk in zijn log.'],
  [
    "The registry's collector failed on {1}. The registry serves.",
    'Het opruimen op {1} mislukte. De registry werkt.',
  ],
  ['Its own words are in the details.', 'Zijn eigen woorden staan bij de details.'],
  ['“{1}” is neither a container nor a unit.', '“{1}” is geen container en geen unit.'],
];
