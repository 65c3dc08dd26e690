// Words of the doctor.

import type { Link } from '../generated/Link';
import type { LinkState } from '../generated/LinkState';

export const en = {
  doctor: {
    title: 'Doctor',
    about:
      'Proves the whole way from docker push to the bytes on the host, link by link, from the engine’s side too. It takes a few seconds.',
    changesNothing: 'It only looks: nothing is changed.',
    leavesBlob:
      'The test leaves a few dozen bytes in the registry, under no name, until its garbage collection runs. Nothing else is changed.',
    emptyTitle: 'Nothing to examine yet',
    empty: 'The doctor looks at the way to a registry. Add one first.',
    toRegistries: 'Go to Registries',
    registry: 'Registry',
    roundTrip: 'Send a few bytes there and back',
    start: 'Examine',
    again: 'Examine again',
    progress: (done: number, total: number) => `${done} of ${total} links hold so far`,
    copy: 'Copy the report',
    copied: 'The report is copied. It names hosts, and holds no secret.',
    spokenFailed: (link: string) => `${link} does not hold.`,
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
      running: 'being examined',
      passed: 'holds',
      failed: 'does not hold',
      skipped: 'not examined',
    } satisfies Record<LinkState['kind'], string>,
  },
};
