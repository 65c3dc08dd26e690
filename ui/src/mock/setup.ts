// What plans for the engine's settings look like; `&setup=NAME` chooses one.

import type { AppliedChange } from '../generated/AppliedChange';
import type { ChangeView } from '../generated/ChangeView';
import type { EngineFacts } from '../generated/EngineFacts';
import type { SetupPlan } from '../generated/SetupPlan';
import type { SetupReport } from '../generated/SetupReport';
import type { UiError } from '../generated/UiError';
import { DIFF } from './hosts';

export type SetupCase = 'needed' | 'satisfied' | 'refused' | 'failing';

const ENGINE: EngineFacts = {
  kind: { kind: 'docker-native' },
  system: 'linux',
  label: 'Docker 28.5.2',
  context: null,
  imageStore: 'containerd',
  configFile: null,
  flagKeys: [],
  insecure: [],
  hasRegistrySettings: false,
  liveRestore: false,
  running: ['web', 'database'],
  pid: 812,
  unit: { name: 'docker.service', user: false },
  builder: null,
};

const HOSTS: ChangeView = {
  id: 'hosts',
  file: 'hosts',
  path: '/etc/hosts',
  why: 'With this line the machine knows cr.boss.org by name.',
  diff: DIFF.apply,
  before: '0'.repeat(64),
  after: '1'.repeat(64),
  needsAdmin: true,
  inPlaceNote: null,
  warnings: [
    'cr.boss.org is also a name in public DNS. While the line is there, this machine sees your registry instead.',
  ],
};

const DAEMON: ChangeView = {
  id: 'daemon-json',
  file: 'daemon-json',
  path: '/etc/docker/daemon.json',
  why: 'Containers reach the registry at 172.17.0.1, which is not loopback, so Docker has to be told that it speaks HTTP there.',
  diff: `--- /etc/docker/daemon.json
+++ /etc/docker/daemon.json
@@ -1,3 +1,4 @@
 {
-  "log-driver": "journald"
+  "log-driver": "journald",
+  "insecure-registries": ["172.17.0.1:5000"]
 }
`,
  before: '2'.repeat(64),
  after: '3'.repeat(64),
  needsAdmin: true,
  inPlaceNote: null,
  warnings: [],
};

export const APPLIED: AppliedChange[] = [
  { id: 'hosts', file: 'hosts', path: '/etc/hosts', entries: ['cr.boss.org'], at: 0, needsAdmin: true },
  {
    id: 'daemon-json',
    file: 'daemon-json',
    path: '/etc/docker/daemon.json',
    entries: ['172.17.0.1:5000'],
    at: 0,
    needsAdmin: true,
  },
];

export const REFUSAL: UiError = {
  code: 'hosts-refused',
  message: 'This engine runs on another machine (ssh://build@10.0.0.7). Nothing that is set here reaches it.',
  hint: 'Run `dockline setup` on that machine, or choose another engine with `docker context use default`.',
};

const UNREACHED: UiError = {
  code: 'engine-cannot-reach',
  message: 'The engine insists on HTTPS for cr.boss.org:5000, which speaks HTTP inside the tunnel.',
  hint: 'Run `dockline setup --plan` to see what it goes by.',
};

/** The plan of a case. */
export function setupPlan(kind: SetupCase, action: SetupPlan['action']): SetupPlan {
  const plan: SetupPlan = {
    action,
    engine: ENGINE,
    verdict: {
      kind: 'needed',
      why: 'Docker has to know the name cr.boss.org, and that 172.17.0.1:5000 speaks HTTP.',
    },
    changes: [HOSTS, DAEMON],
    steps: [
      {
        words: 'Docker reads its settings again (SIGHUP).',
        by: 'helper',
        command: [],
        optional: false,
        stops: [],
      },
    ],
    listens: [],
    authorities: [{ registry: 'cr.boss.org', authority: 'cr.boss.org:5000' }],
    summary: 'Two files change, and Docker reads its settings again.',
  };
  if (action === 'undo') {
    return {
      ...plan,
      verdict: { kind: 'needed', why: 'Everything that Dockline added is taken out again.' },
      changes: [{ ...HOSTS, diff: DIFF.undo, why: 'The names are taken out.', warnings: [] }],
      listens: [],
      authorities: [],
      summary: 'The hosts file is as it was.',
    };
  }
  const none = { changes: [], steps: [] };
  switch (kind) {
    case 'needed':
      return plan;
    case 'failing':
      return {
        ...plan,
        engine: {
          ...ENGINE,
          label: 'Docker 27.1.1',
          kind: { kind: 'docker-desktop' },
          imageStore: 'classic',
          pid: null,
          unit: null,
        },
        steps: [
          {
            words: 'Docker Desktop is restarted, since it reads its settings only then.',
            by: 'dockline',
            command: ['docker', 'desktop', 'restart'],
            optional: false,
            stops: ['web', 'database'],
          },
        ],
      };
    case 'satisfied':
      return {
        ...plan,
        ...none,
        engine: { ...ENGINE, label: 'Docker 20.10.24', imageStore: 'classic' },
        verdict: {
          kind: 'already-satisfied',
          why: 'Docker on Linux treats loopback addresses as insecure by itself, and cr.boss.org leads to one. Nothing has to change.',
        },
        summary: 'Nothing has to change.',
      };
    case 'refused':
      return {
        ...plan,
        ...none,
        engine: {
          ...ENGINE,
          label: 'the engine at ssh://build@10.0.0.7',
          kind: { kind: 'remote', address: 'ssh://build@10.0.0.7' },
        },
        verdict: { kind: 'refused', error: REFUSAL },
        listens: [],
        authorities: [],
        summary: REFUSAL.message,
      };
  }
}

/** What came of it. */
export function setupReport(kind: SetupCase, action: SetupPlan['action']): SetupReport {
  const check = { registry: 'cr.boss.org', authority: 'cr.boss.org:5000' };
  if (action === 'undo') {
    return {
      action,
      summary: 'Dockline’s changes are undone.',
      done: ['/etc/hosts is as it was without Dockline.'],
      left: [],
      checks: [{ ...check, outcome: { kind: 'withdrawn' } }],
    };
  }
  return {
    action,
    summary:
      kind === 'failing'
        ? 'The settings are written, but Docker does not get to cr.boss.org yet.'
        : 'docker push works here: Docker 28.5.2 asked cr.boss.org:5000, and the registry answered.',
    done: [
      '/etc/hosts has the line for cr.boss.org.',
      '/etc/docker/daemon.json lists 172.17.0.1:5000.',
      'Docker read its settings again; no container stopped.',
    ],
    left: [],
    checks: [
      {
        ...check,
        outcome:
          kind === 'failing'
            ? { kind: 'not-reached', error: UNREACHED }
            : { kind: 'reached', loginWanted: false },
      },
    ],
  };
}
