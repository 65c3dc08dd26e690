// What a team file would change.

import type { ImportPlan } from '../generated/ImportPlan';
import type { RegistrySpec } from '../generated/RegistrySpec';
import type { Target } from '../generated/Target';

const target = (name: string, host: string): Target => ({
  name,
  ssh: { host, user: 'dockercr' },
  fallbacks: [],
  remote: null,
  port: null,
  address: null,
  gateway: null,
  localhostPort: null,
  ca: null,
  lingerSeconds: null,
  keepOpen: false,
  url: null,
  clientCertificate: null,
});

/** One that is new, one that a person should think about, one that is here already, and one that is here and is another. */
export function importPlan([same, other]: readonly RegistrySpec[]): ImportPlan {
  if (!same || !other) return { entries: [], summary: 'The team file has no registries.' };
  return {
    entries: [
      {
        registry: 'cr.colleagues.example',
        target: target('cr.colleagues.example', 'registry.colleagues.example'),
        verdict: { kind: 'add' },
        present: null,
        warnings: [],
      },
      {
        registry: 'cr.partners.example',
        target: {
          ...target('cr.partners.example', 'gate.partners.example'),
          remote: 'build.partners.example:5000',
        },
        verdict: { kind: 'add' },
        present: null,
        warnings: [
          'What is pushed to cr.partners.example goes on from dockercr@gate.partners.example to build.partners.example:5000, another machine.',
          'The login that is kept for cr.partners.example:5000 will be given to whoever answers at the end of this way.',
        ],
      },
      {
        registry: same.name,
        target: target(same.name, same.ssh.host),
        verdict: { kind: 'same' },
        present: same,
        warnings: [],
      },
      {
        registry: other.name,
        target: target(other.name, '10.0.0.7'),
        verdict: {
          kind: 'conflict',
          error: {
            code: 'registry-exists',
            message: `${other.name} is configured here and leads to ${other.ssh.host}; in the team file it leads to 10.0.0.7.`,
            hint: `Ask which is right. To take the file's: dockline remove ${other.name}, and import again.`,
          },
        },
        present: other,
        warnings: [],
      },
    ],
    summary: '2 registries will be added, 1 is here already, 1 is to be decided.',
  };
}
