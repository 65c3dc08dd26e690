// Dutch words of what makes `docker push` work on this machine.

import type { en } from './setup.en';

export const nl: typeof en = {
  setup: {
    title: 'docker push hier laten werken',
    undoTitle: 'Terugdraaien wat Dockline veranderde',
    planning: 'De engine en zijn instellingen worden bekeken…',
    engine: (label: string, where: string) => `Gevonden: ${label}, ${where}.`,
    kind: {
      'docker-native': 'op deze computer',
      'docker-rootless': 'op deze computer, zonder root (met een eigen netwerk)',
      'docker-snap': 'op deze computer, uit de snap',
      'docker-desktop': 'in Docker Desktop',
      'docker-windows': 'voor Windows-containers',
      'orb-stack': 'in OrbStack',
      colima: 'in colima',
      'rancher-desktop': 'in Rancher Desktop',
      podman: 'op deze computer',
      'podman-rootless': 'op deze computer, zonder root',
      'podman-machine': 'in een virtuele machine',
      remote: 'op een andere machine',
      unknown: 'ergens dat Dockline niet kent',
      none: 'niets dat antwoordt',
    },
    diff: (path: string) => `Verandering van ${path}`,
    steps: 'Daarna',
    byYou: ' Dit doet u zelf.',
    listens: 'Dockline luistert',
    called: (name: string, authority: string) => `Voor deze engine heet ${name} ${authority}.`,
    stops: (names: string) => `Dit herstart de engine; daardoor stopt ${names}.`,
    permission: 'Uw systeem vraagt één keer om het wachtwoord van een beheerder.',
    asking: 'Uw systeem vraagt misschien om uw wachtwoord…',
    progress: 'Voortgang',
    changed: 'Een bestand is intussen veranderd. Dit is het nieuwe plan.',
    apply: 'Deze veranderingen uitvoeren',
    undo: 'Deze veranderingen terugdraaien',
    reached: (authority: string) => `De engine vroeg ${authority}, en het register antwoordde.`,
    reachedLogin: (authority: string) =>
      `De engine vroeg ${authority}, en het register wil een login: docker login ${authority}`,
    withdrawn: (authority: string) =>
      `De engine houdt zich niet meer aan Docklines instelling voor ${authority}.`,
    left: 'Voor u om te doen',
    commands: (n) => (n === 1 ? 'Het commando' : 'De commando’s'),
    applied: 'Tot nu toe veranderd door Dockline',
    undoOne: 'Terugdraaien…',
    undoNamed: (path: string) => `De verandering van ${path} terugdraaien`,
    undoAll: 'Alles terugdraaien…',
  },
};
