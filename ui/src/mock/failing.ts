// Everything that goes wrong at once.

import type { Snapshot } from '../generated/Snapshot';
import type { UiError } from '../generated/UiError';
import { MB, MINUTE, NOW, SECOND, layer, lease, registry, snapshot, transfer } from './words';

const changed: UiError = {
  code: 'host-key-changed',
  message:
    'The key of the SSH host 88.88.88.88 has changed: its ssh-ed25519 key is now SHA256:pHDyvYUUI9XkvyCzM5w1ybTFLqNLvFvnBQrpTjRdE0o, which is not what line 14 of /home/you/.ssh/known_hosts says. Somebody may be listening in, or the host was installed anew.',
  hint: "Ask the server's owner. Only if the change is theirs, remove the old key with `ssh-keygen -R '88.88.88.88' -f '/home/you/.ssh/known_hosts'` and connect again.",
};

const lost: UiError = {
  code: 'ssh-unreachable',
  message: 'lab.example did not answer on port 22 within 10 s.',
  hint: 'Check that the host is on, and that no firewall is in the way.',
};

const taken: UiError = {
  code: 'port-in-use',
  message: '127.77.120.66:5000 is taken by python3.',
  hint: 'Stop that program, or choose another port for this registry.',
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
      message:
        '/home/you/.config/dockline/config.toml has 2 problems:\n  line 12, column 1: “prot” is not a setting of a registry; these are: name, ssh, remote, address, port\n  line 14, column 8: keep-open must be true or false, without quotes',
      hint: 'Correct the file; it is read again as soon as it is saved.',
    },
    engine: {
      state: {
        kind: 'unavailable',
        error: {
          code: 'engine-permission',
          message: 'Docker is running, but you may not use it: unix:///var/run/docker.sock does not open.',
          hint: 'Add yourself to the docker group (`sudo usermod -aG docker $USER`) and log in again; members of it are as good as root on this machine. Rootless Docker or Podman needs no group.',
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
            message:
              'The registry took a part of cr.boss.org:5000/shop/api:2.4.1 and then no more: its disk is full, most likely.',
            hint: "Look at `df -h` on the registry's host, and for “no space left on device” in the registry's log. Make room (delete tags, then run the registry's garbage collection) and push again: layers that have arrived are not sent twice.",
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
