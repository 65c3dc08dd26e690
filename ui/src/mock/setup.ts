// What plans for the engine's settings look like; `&setup=NAME` chooses one.

import type { AppliedChange } from '../generated/AppliedChange';
import type { ChangeView } from '../generated/ChangeView';
import type { EngineFacts } from '../generated/EngineFacts';
import type { LeftForYou } from '../generated/LeftForYou';
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
  why: 'Programs on this machine find each registry by its name.',
  diff: DIFF.apply,
  before: '0'.repeat(64),
  after: '1'.repeat(64),
  needsAdmin: true,
  inPlaceNote: null,
  warnings: [
    'cr.boss.org is also a name in public DNS. Should this line ever go while an image or a script still says cr.boss.org, programs would turn to that machine instead; over HTTPS only, so that no password travels in the clear.',
  ],
};

const DAEMON: ChangeView = {
  id: 'daemon-json',
  file: 'daemon-json',
  path: '/etc/docker/daemon.json',
  why: "Programs in containers on this machine can reach 172.17.0.1:5000, within the registry's access rules.",
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
  message:
    "The engine runs on another machine (ssh://build@10.0.0.7), which does not see this machine's tunnels and whose settings are not Dockline's to change.",
  hint: "Push without the engine's settings instead: docker save the image, and dockline push the file.",
};

const UNREACHED: UiError = {
  code: 'engine-cannot-reach',
  message: 'The engine insists on HTTPS for cr.boss.org:5000, which speaks HTTP inside the tunnel.',
  hint: "Run `dockline setup`: it shows what this engine needs for cr.boss.org:5000. Or use the registry's 127.x address, which Docker takes as plain HTTP.",
};

const BUILDER: LeftForYou[] = [
  {
    words:
      'Remove the builder, since builders read their settings only when they are made; its build cache goes with it.',
    command: ['docker', 'buildx', 'rm', 'builder'],
  },
  {
    words: 'Make the builder anew, with the new settings.',
    command: ['docker', 'buildx', 'create', '--name', 'builder', '--driver', 'docker-container', '--use'],
  },
];

/** The plan of a case. */
export function setupPlan(kind: SetupCase, action: SetupPlan['action']): SetupPlan {
  const plan: SetupPlan = {
    action,
    engine: ENGINE,
    verdict: {
      kind: 'needed',
      why: 'Docker 28.5.2 lacks 2 settings.',
    },
    changes: [HOSTS, DAEMON],
    steps: [
      {
        words: 'dockerd reads its settings again; no container stops.',
        done: 'dockerd has read its settings again; no container stopped.',
        by: 'helper',
        command: [],
        optional: false,
        stops: [],
      },
    ],
    listens: [],
    authorities: [{ registry: 'cr.boss.org', authority: 'cr.boss.org:5000' }],
    summary:
      'Dockline changes /etc/hosts and /etc/docker/daemon.json so that docker push works here; no running container stops.',
  };
  if (action === 'undo') {
    return {
      ...plan,
      verdict: { kind: 'needed', why: 'These files hold what Dockline added to them.' },
      changes: [{ ...HOSTS, diff: DIFF.undo, why: "Dockline's part of /etc/hosts goes.", warnings: [] }],
      listens: [],
      authorities: [],
      summary:
        "Dockline changes /etc/hosts so that nothing of Dockline's is left in them; nothing is restarted.",
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
            words: 'Docker Desktop restarts. (Before 4.37: choose Restart in its menu.)',
            done: 'Docker Desktop has restarted.',
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
          why: 'No registry is offered to containers, so dockerd needs no exception.',
        },
        summary:
          'Nothing needs to be changed: No registry is offered to containers, so dockerd needs no exception.',
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
      summary: "Dockline's change is undone.",
      done: ["/etc/hosts holds nothing of Dockline's any more."],
      left: [],
      failed: null,
      checks: [{ ...check, outcome: { kind: 'withdrawn' } }],
    };
  }
  return {
    action,
    summary:
      kind === 'failing'
        ? 'The settings are written, but Docker 27.1.1 does not get to cr.boss.org:5000 yet.'
        : 'docker push works here: Docker 28.5.2 asked cr.boss.org:5000, and the registry answered.',
    done: [
      '/etc/hosts is written.',
      '/etc/docker/daemon.json is written.',
      kind === 'failing'
        ? 'Docker Desktop has restarted.'
        : 'dockerd has read its settings again; no container stopped.',
    ],
    left: kind === 'failing' ? BUILDER : [],
    failed: null,
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
