// Words of what makes `docker push` work on this machine.

import type { EngineKind } from '../generated/EngineKind';

export const en = {
  setup: {
    title: 'Make docker push work here',
    undoTitle: 'Undo what Dockline changed',
    planning: 'Looking at the engine and its settings…',
    engine: (label: string, where: string) => `Found: ${label}, ${where}.`,
    kind: {
      'docker-native': 'on this machine',
      'docker-rootless': 'on this machine, without root (it has a network of its own)',
      'docker-snap': 'on this machine, from the snap',
      'docker-desktop': 'in Docker Desktop',
      'docker-windows': 'for Windows containers',
      'orb-stack': 'in OrbStack',
      colima: 'in colima',
      'rancher-desktop': 'in Rancher Desktop',
      podman: 'on this machine',
      'podman-rootless': 'on this machine, without root',
      'podman-machine': 'in a virtual machine',
      remote: 'on another machine',
      unknown: 'somewhere Dockline does not know',
      none: 'nothing that answers',
    } satisfies Record<EngineKind['kind'], string>,
    diff: (path: string) => `Change of ${path}`,
    steps: 'Then',
    byYou: ' This is for you to do.',
    listens: 'Dockline listens',
    called: (name: string, authority: string) => `For this engine, ${name} is called ${authority}.`,
    stops: (names: string) => `This restarts the engine, which stops ${names}.`,
    permission: 'Your system asks for an administrator’s password, once.',
    asking: 'Your system may be asking for your password…',
    progress: 'Progress',
    changed: 'A file changed in the meantime. This is the new plan.',
    apply: 'Make these changes',
    undo: 'Undo these changes',
    reached: (authority: string) => `The engine asked ${authority}, and the registry answered.`,
    reachedLogin: (authority: string) =>
      `The engine asked ${authority}, and the registry wants a login: docker login ${authority}`,
    withdrawn: (authority: string) => `The engine no longer goes by Dockline’s setting for ${authority}.`,
    left: 'Left for you',
    applied: 'Changed by Dockline so far',
    undoOne: 'Undo…',
    undoNamed: (path: string) => `Undo the change of ${path}`,
    undoAll: 'Undo all…',
  },
};
