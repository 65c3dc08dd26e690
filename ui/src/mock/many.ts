// A lot of everything, and names as long as they may be.

import type { Snapshot } from '../generated/Snapshot';
import { DAY, MB, MINUTE, NOW, SECOND, image, layer, lease, registry, snapshot, transfer } from './words';

const LONG = 'a-registry-whose-name-goes-on-and-on.infrastructure.a-department-far-away.example';

export function many(): Snapshot {
  const registries = Array.from({ length: 50 }, (_, n) =>
    registry(
      n === 1 ? LONG : `cr${n}.example.org`,
      n % 3 === 0 ? { kind: 'up', since: NOW - n * MINUTE } : { kind: 'idle' },
      {
        address: `127.77.${n}.${n + 1}`,
        ssh: {
          host: n === 1 ? `bastion.${LONG}` : `host${n}.example.org`,
          user: n === 1 ? 'a-user-with-a-long-name' : 'dockercr',
        },
      },
    ),
  );
  // One that needs no tunnel.
  const direct = registries[4]!;
  direct.spec = { ...direct.spec, name: 'nexus.example.org', url: 'https://nexus.example.org:8443/docker' };
  for (const view of registries.filter(({ tunnel }) => tunnel.state.kind === 'up')) {
    view.tunnel.leases = [lease({ kind: 'manual' })];
    view.tunnel.bytesUp = 12 * MB;
  }
  return snapshot({
    registries,
    engine: {
      state: { kind: 'ready', name: 'Docker 28.5.2' },
      images: Array.from({ length: 500 }, (_, n) =>
        image(
          1_000 + n,
          [
            n === 2
              ? `${LONG}:5000/team/${'very-'.repeat(12)}long/repository:${'v1.'.repeat(20)}0`
              : `team${n % 7}/service-${n}:1.${n}.0`,
          ],
          (n * 37.3 + 5) * MB,
          n * DAY * 0.7,
        ),
      ),
    },
    transfers: [
      transfer(60, {
        source: 'monolith:latest',
        reference: 'cr0.example.org:5000/monolith:latest',
        registry: 'cr0.example.org',
        layers: Array.from({ length: 60 }, (_, n) =>
          n < 20
            ? layer(n + 600, { kind: 'done' }, (n + 1) * MB, (n + 1) * MB)
            : n < 25
              ? layer(n + 600, { kind: 'transferring' }, n * 0.4 * MB, (n + 1) * MB)
              : layer(n + 600, { kind: 'waiting' }, 0, (n + 1) * MB),
        ),
        current: 255 * MB,
        total: 1_830 * MB,
        rate: 11.2 * MB,
        secondsLeft: 141,
        started: NOW - 24 * SECOND,
      }),
    ],
  });
}
