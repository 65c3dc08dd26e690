// What a registry has inside.

import type { CollectPlan } from '../generated/CollectPlan';
import type { Contents } from '../generated/Contents';
import type { Look } from '../generated/Look';
import type { ManifestView } from '../generated/ManifestView';
import { DAY, MB, NOW, hex } from './words';

const PAGE = 50;
const digest = (seed: number) => `sha256:${hex(seed)}`;

const REPOSITORIES = [
  'jobs',
  'postgres-with-extensions',
  'shop/api',
  'shop/mail',
  'shop/web',
  'tools/backup',
];
const MANY = Array.from(
  { length: 420 },
  (_, n) => `team${n % 12}/service-${String(n).padStart(3, '0')}`,
).toSorted();
const TAGS = ['2.3.9', '2.4.0', '2.4.1', 'latest', 'nightly'];

/** A registry's answer. */
export function contents(look: Look, many: boolean): Contents {
  switch (look.kind) {
    case 'repositories':
      return { kind: 'repositories', page: page(many ? MANY : REPOSITORIES, look.after ?? null) };
    case 'tags':
      return {
        kind: 'tags',
        page: page(many ? Array.from({ length: 300 }, (_, n) => `1.${n}.0`) : TAGS, look.after ?? null),
      };
    case 'manifest':
      return { kind: 'manifest', manifest: manifest(look.repository, look.reference) };
    case 'referrers':
      return {
        kind: 'referrers',
        referrers: [
          {
            digest: digest(77),
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
            size: 812,
            annotations: {},
          },
        ],
      };
    case 'plan-delete':
      return {
        kind: 'delete-plan',
        plan: {
          repository: look.repository,
          reference: look.reference,
          digest: digest(3),
          tags: look.reference === 'latest' ? ['2.4.1', 'latest'] : [look.reference],
          unusedBytes: 41.2 * MB,
          sharedBytes: 271 * MB,
          notes: [],
        },
      };
    case 'usage':
      return {
        kind: 'usage',
        usage: {
          totalBytes: 4_812 * MB,
          repositories: [
            {
              repository: 'jobs',
              tags: 31,
              manifests: 31,
              uniqueBytes: 2_210 * MB,
              sharedBytes: 77 * MB,
              unread: 0,
            },
            {
              repository: 'shop/api',
              tags: 5,
              manifests: 4,
              uniqueBytes: 920 * MB,
              sharedBytes: 271 * MB,
              unread: 0,
            },
            {
              repository: 'shop/web',
              tags: 5,
              manifests: 5,
              uniqueBytes: 310 * MB,
              sharedBytes: 271 * MB,
              unread: 0,
            },
            {
              repository: 'tools/backup',
              tags: 1,
              manifests: 1,
              uniqueBytes: 12 * MB,
              sharedBytes: 0,
              unread: 0,
            },
          ],
        },
      };
  }
}

function page(names: readonly string[], after: string | null) {
  const start = after === null ? 0 : names.indexOf(after) + 1;
  const shown = names.slice(start, start + PAGE);
  return { names: shown, next: start + PAGE < names.length ? (shown.at(-1) ?? null) : null };
}

function manifest(repository: string, reference: string): ManifestView {
  const common = {
    reference: `cr.boss.org:5000/${repository}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`,
    digest: reference.startsWith('sha256:') ? reference : digest(3),
    size: 1_781,
    contentSize: 312.4 * MB,
    created: new Date(NOW - 2 * DAY).toISOString(),
    artifactType: null,
    subject: null,
    annotations: {},
  };
  if (reference === 'latest') {
    return {
      ...common,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      kind: 'index',
      images: (['linux/amd64', 'linux/arm64'] as const).map((platform, n) => ({
        platform,
        digest: digest(40 + n),
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        contentSize: (156 + n) * MB,
        isAttestation: false,
      })),
      layers: [],
      config: null,
    };
  }
  const steps = [
    ['ADD rootfs.tar.xz /', 77.8],
    ['RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libpq5', 12.1],
    ['COPY requirements.txt .', 0.002],
    ['RUN pip install --no-cache-dir -r requirements.txt', 181],
    ['COPY . .', 41.2],
  ] as const;
  return {
    ...common,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    kind: 'image',
    images: [
      {
        platform: 'linux/amd64',
        digest: common.digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        contentSize: 312.4 * MB,
        isAttestation: false,
      },
    ],
    layers: steps.map(([createdBy, size], n) => ({
      digest: digest(60 + n),
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      size: size * MB,
      createdBy,
    })),
    config: {
      digest: digest(59),
      size: 7_320,
      entrypoint: ['/usr/bin/tini', '--'],
      command: ['gunicorn', 'shop.wsgi'],
      environment: ['PATH=/usr/local/bin:/usr/bin'],
      ports: ['8000/tcp'],
      user: 'app',
      folder: '/srv',
      labels: {},
    },
  };
}

/** What collecting would remove. */
export function collectPlan(registry: string, untagged: boolean): CollectPlan {
  return {
    registry,
    ssh: { host: '88.88.88.88', user: 'dockercr' },
    run: { kind: 'container', engine: 'docker', id: '1f2e3d4c5b6a', name: 'registry', image: 'registry:2' },
    version: '2.8.2',
    configuration: '/etc/docker/registry/config.yml',
    untagged,
    blobs: untagged ? 31 : 14,
    manifests: untagged ? 9 : 0,
    bytes: (untagged ? 912.6 : 402.3) * MB,
    notes: [
      'The registry is stopped while that is removed, and started again after it. Whoever pushes or pulls meanwhile is refused; an upload that is under way begins again.',
    ],
  };
}
