// Everything that goes wrong at once.

import type { Snapshot } from '../generated/Snapshot';
import type { UiError } from '../generated/UiError';
import { MB, MINUTE, NOW, SECOND, layer, lease, registry, snapshot, transfer } from './words';

const changed: UiError = {
  code: 'host-key-changed',
  message: '88.88.88.88 shows another host key than the one in ~/.ssh/known_hosts, line 14.',
  hint: 'If the host was set up anew, remove that line and connect again. If not, somebody may be in between: ask its owner.',
};

const lost: UiError = {
  code: 'ssh-unreachable',
  message: 'lab.example does not answer on port 22.',
  hint: 'Check that the host is up and that this machine is online; Dockline keeps trying.',
};

const taken: UiError = {
  code: 'port-in-use',
  message: 'Another program listens on 127.77.120.66:5000 already.',
  hint: 'Close it, or give this registry another port.',
};

export function failing(): Snapshot {
  const boss = registry('cr.boss.org', { kind: 'failed', error: changed });
  const lab = registry(
    'registry.lab.example',
    { kind: 'reconnecting', failures: 3, retryAt: NOW + 8 * SECOND, error: lost },
    { ssh: { host: 'lab.example', user: 'ci' }, address: '127.77.9.3' },
  );
  lab.tunnel.leases = [lease({ kind: 'connection', peer: '127.0.0.1:50112' }, 9 * SECOND, 'dockerd')];
  lab.tunnel.bytesUp = 32 * MB;
  const home = registry(
    'cr.home.example',
    { kind: 'idle' },
    { ssh: { host: 'home' }, address: '127.77.120.66' },
  );
  home.aliasReady = false;
  home.tunnel.listenerError = taken;

  return snapshot({
    registries: [boss, lab, home],
    configError: {
      code: 'config-invalid',
      message: 'Line 12, column 8: “prot” is not a setting of a registry.',
      hint: 'Did you mean “port”?',
    },
    engine: {
      state: {
        kind: 'unavailable',
        error: {
          code: 'engine-permission',
          message: 'Docker runs, but your user may not open /var/run/docker.sock.',
          hint: 'Add yourself to the group “docker” and log in again.',
          details: 'dial unix /var/run/docker.sock: connect: permission denied',
        },
      },
      images: [],
    },
    transfers: [
      transfer(2, {
        state: { kind: 'cancelled' },
        source: 'jobs:nightly',
        reference: 'registry.lab.example:5000/jobs:nightly',
        started: NOW - 9 * MINUTE,
        finished: NOW - 8 * MINUTE,
      }),
      transfer(3, {
        state: {
          kind: 'failed',
          error: {
            code: 'registry-disk-full',
            message: 'The registry’s disk is full, so a layer could not be stored.',
            hint: 'Free space on the host, or delete tags there and run its garbage collection; then try again.',
            details:
              'received unexpected HTTP status: 500 Internal Server Error\nfilesystem: write /var/lib/registry/…: no space left on device',
          },
        },
        layers: [
          layer(31, { kind: 'exists' }, 0, 77 * MB),
          layer(32, { kind: 'done' }, 12 * MB, 12 * MB),
          layer(33, { kind: 'retrying', seconds: 5 }, 0, 151 * MB),
        ],
        current: 41 * MB,
        total: 163 * MB,
        started: NOW - 3 * MINUTE,
        finished: NOW - MINUTE,
      }),
    ],
  });
}
