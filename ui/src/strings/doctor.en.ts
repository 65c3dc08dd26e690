// Words of the doctor.

import type { Link } from '../generated/Link';
import type { LinkState } from '../generated/LinkState';

export const en = {
  doctor: {
    title: 'Doctor',
    about:
      'Checks every link from docker push to the bytes on the host, from the engine’s side too. It takes a few seconds.',
    changesNothing: 'It only looks: nothing is changed.',
    leavesBlob:
      'The test leaves a few dozen bytes in the registry, under no name, until its garbage collection runs. Nothing else is changed.',
    emptyTitle: 'Nothing to check yet',
    empty: 'The doctor checks the connection to a registry. Add one first.',
    toRegistries: 'Go to Registries',
    registry: 'Registry',
    roundTrip: 'Send a few bytes there and back',
    start: 'Check the connection',
    again: 'Check again',
    progress: (done: number, total: number) => `${done} of ${total} links work so far`,
    copy: 'Copy the report',
    copied: 'The report is copied. It names hosts, and holds no secret.',
    spokenFailed: (link: string) => `${link}: does not work.`,
    links: {
      name: 'The registry’s name',
      address: 'Its address on this machine',
      listener: 'Dockline listens there',
      'ssh-reach': 'The SSH host answers',
      'host-key': 'Its host key',
      login: 'The SSH login',
      registry: 'The registry answers',
      'registry-login': 'The registry’s own login',
      engine: 'The container engine',
      'engine-settings': 'The engine’s settings',
      'engine-reach': 'The engine reaches the registry',
      'round-trip': 'A few bytes there and back',
    } satisfies Record<Link, string>,
    states: {
      waiting: 'waiting',
      running: 'being checked',
      passed: 'works',
      failed: 'does not work',
      skipped: 'not checked',
    } satisfies Record<LinkState['kind'], string>,
  },
};
