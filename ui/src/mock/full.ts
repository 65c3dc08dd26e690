// An ordinary working day: one tunnel in use, one idle, one about to close.

import type { Snapshot } from '../generated/Snapshot';
import {
  DAY,
  DIGEST,
  HOUR,
  MB,
  MINUTE,
  NOW,
  SECOND,
  image,
  layer,
  lease,
  registry,
  snapshot,
  transfer,
} from './words';

export function full(): Snapshot {
  const boss = registry('cr.boss.org', { kind: 'up', since: NOW - 12 * MINUTE });
  boss.tunnel.leases = [
    lease({ kind: 'manual' }, 12 * MINUTE),
    lease({ kind: 'transfer', id: 7 }, 20 * SECOND),
    ...[1, 2, 3, 4, 5].map((n) =>
      lease({ kind: 'connection', peer: `127.0.0.1:4010${n}` }, 19 * SECOND, 'dockerd'),
    ),
  ];
  boss.tunnel.bytesUp = 214.3 * MB;
  boss.tunnel.bytesDown = 3.1 * MB;

  const lab = registry(
    'registry.lab.example',
    { kind: 'idle' },
    {
      ssh: { host: 'lab', user: null },
      address: '127.77.9.3',
    },
  );
  lab.tunnel.bytesUp = 1_204 * MB;
  lab.tunnel.bytesDown = 688 * MB;

  const home = registry(
    'cr.home.example',
    { kind: 'lingering', until: NOW + 7 * SECOND },
    {
      ssh: { host: 'home.example', user: 'me', port: 2222 },
      address: '127.77.120.66',
    },
  );
  home.aliasReady = false;
  home.tunnel.bytesDown = 48.2 * MB;

  const replicated = registry(
    'cr.replicas.example',
    { kind: 'up', since: NOW - 3 * MINUTE },
    {
      ssh: { host: 'a.example', user: 'dockercr' },
      fallbacks: [
        { host: 'b.example', user: 'dockercr' },
        { host: 'c.example', user: 'dockercr' },
      ],
      address: '127.77.8.1',
    },
  );
  replicated.tunnel.leases = [lease({ kind: 'manual' }, 3 * MINUTE)];
  replicated.tunnel.route = {
    ssh: { host: 'b.example', user: 'dockercr' },
    passedOver: [
      {
        ssh: { host: 'a.example', user: 'dockercr' },
        error: { code: 'ssh-unreachable', message: 'a.example did not answer on port 22 within 3 s.' },
      },
    ],
  };

  return snapshot({
    registries: [boss, lab, home, replicated],
    offers: [
      {
        id: 1,
        spec: { ssh: { host: 'prod.boss.org', user: 'root' }, port: 5000, to: '127.0.0.1:5000' },
        kept: false,
        state: { kind: 'offering', since: NOW - 6 * MINUTE },
        connections: 1,
        bytesUp: 42.7 * MB,
        bytesDown: 0.2 * MB,
      },
    ],
    engine: {
      state: { kind: 'ready', name: 'Docker 20.10.24' },
      images: [
        image(
          1,
          ['shop/api:2.4.1', 'shop/api:latest', 'cr.boss.org:5000/shop/api:2.4.0'],
          312.4 * MB,
          4 * MINUTE,
        ),
        image(2, ['shop/web:2.4.1'], 88.1 * MB, 2 * HOUR),
        image(3, ['jobs:nightly'], 1_420 * MB, 9 * HOUR),
        image(4, ['postgres:16-alpine'], 236 * MB, 6 * DAY),
        image(5, [], 311 * MB, 7 * DAY),
        image(6, ['registry:2'], 25.4 * MB, 40 * DAY),
        image(7, ['debian:12-slim'], 74.8 * MB, 51 * DAY),
        image(8, ['hello-world:latest'], 13_256, 400 * DAY),
      ],
    },
    transfers: [
      transfer(5, {
        kind: 'pull',
        source: 'cr.boss.org/jobs:nightly',
        reference: 'cr.boss.org:5000/jobs:nightly',
        state: { kind: 'done', verified: { digest: DIGEST, atRegistry: true } },
        layers: [layer(51, { kind: 'exists' }, 0, 31 * MB), layer(52, { kind: 'done' }, 17 * MB, 17 * MB)],
        current: 17 * MB,
        total: 17 * MB,
        started: NOW - 22 * MINUTE,
        finished: NOW - 21 * MINUTE,
      }),
      transfer(7, {
        layers: [
          layer(71, { kind: 'exists' }, 0, 77.8 * MB),
          layer(72, { kind: 'mounted', from: 'shop/web' }, 0, 12.1 * MB),
          layer(73, { kind: 'done' }, 41.2 * MB, 41.2 * MB),
          layer(74, { kind: 'transferring' }, 98.6 * MB, 151 * MB),
          layer(75, { kind: 'transferring' }, 8.4 * MB, 22.9 * MB),
          layer(76, { kind: 'waiting' }, 0, 1_302),
        ],
        current: 148.2 * MB,
        total: 215.1 * MB,
        rate: 7.4 * MB,
        secondsLeft: 9,
      }),
      transfer(8, {
        source: 'shop-web.tar',
        road: 'direct',
        registry: 'registry.lab.example',
        reference: 'registry.lab.example:5000/shop/web:2.4.1',
        state: { kind: 'waiting' },
        started: NOW - 2 * SECOND,
      }),
    ],
  });
}
