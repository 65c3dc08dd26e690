// An owner that only pretends: it answers every command and moves the state as the real one would.

import type { Backend, Listener, Wanted, Wish } from '../backend/backend';
import type { Change } from '../generated/Change';
import type { Command } from '../generated/Command';
import type { RegistryView } from '../generated/RegistryView';
import type { Reply } from '../generated/Reply';
import type { Snapshot } from '../generated/Snapshot';
import type { TransferView } from '../generated/TransferView';
import type { UiError } from '../generated/UiError';
import { reduce } from '../state/reducer';
import { MB, SECOND, layer, registry, share, transfer } from './words';
import { imitateDrops } from './drops';
import { DIFF } from './hosts';
import { collectPlan, contents } from './contents';
import { importPlan } from './team';
import { LINKS, PROPOSALS, report } from './doctor';
import { refusal } from './refusals';
import { APPLIED, setupPlan, setupReport, type SetupCase } from './setup';

const TICK = 100;
/** How long a packed archive is read. */
const READING = 3_000;
/** Where wishes are kept while the page is loaded anew. */
const KEPT = 'dockline.mock.wishes';

function kept(): Wish[] {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? '[]') as Wish[];
}

interface Options {
  /** Transfers move by themselves from the start. */
  moving: boolean;
  /** 200 events a second. */
  storm: boolean;
  sample: string | null;
  /** Registries with pages of repositories. */
  many: boolean;
  /** The doctor finds something. */
  broken: boolean;
  /** What the engine's settings need. */
  setup: SetupCase;
  /** How long a packed archive is read, in milliseconds. */
  reading?: number;
  /** How long garbage is collected, likewise. */
  collecting?: number;
  /** Kinds of commands that are refused. */
  refuse?: readonly string[];
}

export class Owner implements Backend {
  #state: Snapshot;
  #listener: Listener | null = null;
  #nextTransfer = 100;
  readonly #options: Options;

  constructor(state: Snapshot, options: Options) {
    this.#state = state;
    this.#options = options;
  }

  async listen(listener: Listener): Promise<void> {
    this.#listener = listener;
    imitateDrops(listener);
    // The pictures have everything fail that runs.
    window.addEventListener('mock-fail', () => this.#fail());
    if (this.#options.storm) this.#storm();
    if (!this.#options.moving) return;
    for (const { id, state } of this.#state.transfers) {
      if (state.kind === 'running' || state.kind === 'waiting') this.#carry(id);
    }
  }

  async demoSample(): Promise<string | null> {
    return this.#options.sample;
  }

  /** What waited in the page before it was loaded anew, as when a window is closed and opened. */
  async takeWish(): Promise<Wish | null> {
    const [wish, ...left] = kept();
    await this.keepWishes(left);
    if (typeof wish === 'object') return { archives: { ...wish.archives, isLeft: true } };
    return wish ?? null;
  }

  async keepWishes(wishes: Wish[]): Promise<void> {
    if (wishes.length === 0) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(wishes));
  }

  async openRelease(): Promise<void> {
    const url = this.#state.updates.last?.release?.url;
    if (url) window.open(url, '_blank', 'noopener');
  }

  async announce(): Promise<boolean> {
    return false;
  }

  async chooseFile(wanted: Wanted): Promise<string | null> {
    const files = { archive: 'app.tar', certificate: 'boss-ca.pem', key: '.ssh/id_boss' };
    return `/home/you/${files[wanted]}`;
  }

  async chooseSave(name: string): Promise<string | null> {
    return `/home/you/${name}`;
  }

  async saveTeamFile(): Promise<string | null> {
    return '/home/you/dockline-team.toml';
  }

  async dispatch(command: Command): Promise<Reply> {
    if (this.#options.refuse?.includes(command.kind)) throw refusal(command.kind);
    switch (command.kind) {
      case 'snapshot':
        return { kind: 'snapshot', snapshot: this.#state };
      case 'add-registry': {
        const { name, ssh, fallbacks, remote, port, address, keepOpen } = command.target;
        if (this.#state.registries.some(({ spec }) => spec.name === name)) {
          throw {
            code: 'registry-exists',
            message: `There is a registry called ${name} already.`,
          } satisfies UiError;
        }
        const view = registry(
          name,
          { kind: 'idle' },
          {
            ssh,
            fallbacks,
            remote: remote ?? '127.0.0.1:5000',
            port: port ?? 5000,
            address: address ?? '127.77.200.7',
            keepOpen,
          },
        );
        view.aliasReady = false;
        this.#tell({ kind: 'registry', registry: view });
        return { kind: 'registry', spec: view.spec };
      }
      case 'remove-registry':
        this.#tell({ kind: 'registry-gone', name: command.registry });
        return { kind: 'done' };
      case 'connect':
        return this.#connect(command.registry);
      case 'disconnect': {
        const view = this.#registry(command.registry);
        this.#tell({
          kind: 'registry',
          registry: { ...view, tunnel: { ...view.tunnel, state: { kind: 'idle' }, leases: [] } },
        });
        return { kind: 'registry', spec: view.spec };
      }
      case 'push':
        return this.#begin({
          registry: command.registry,
          host: command.host ?? null,
          source: command.image,
          reference: `${command.registry}:5000/${command.reference ?? command.image}`,
        });
      case 'push-archive': {
        const source = command.path.split('/').at(-1) ?? command.path;
        const reference = `${command.registry}:5000/${command.reference ?? source.replace(/\.t(ar|gz|zst).*$/, '')}`;
        const { registry } = command;
        const isPacked = /\.(tgz|gz|tzst|zst)$/.test(source);
        if (isPacked && command.reference == null) return this.#read({ registry, source, reference });
        return this.#begin({ road: 'direct', registry, source, reference });
      }
      case 'pull':
        return this.#begin({ kind: 'pull', source: command.reference, reference: command.reference });
      case 'pull-archive':
        return this.#begin({
          kind: 'pull',
          road: 'direct',
          source: command.reference,
          reference: command.reference,
        });
      case 'copy':
        return this.#begin({
          kind: 'copy',
          road: 'direct',
          host: command.host ?? null,
          source: command.from,
          reference: command.to,
        });
      case 'ship':
        return this.#begin({
          kind: 'ship',
          road: 'direct',
          host: command.host,
          source: command.image,
          reference: command.reference ?? command.image,
        });
      case 'pause':
        this.#change(command.transfer, { state: { kind: 'paused' } });
        return { kind: 'done' };
      case 'resume':
        this.#change(command.transfer, { state: { kind: 'waiting' } });
        return { kind: 'done' };
      case 'cancel':
        this.#change(command.transfer, { state: { kind: 'cancelled' }, finished: Date.now() });
        return { kind: 'done' };
      case 'dismiss':
        this.#tell({ kind: 'transfer-gone', id: command.transfer });
        return { kind: 'done' };
      case 'answer':
        this.#tell({ kind: 'prompt-gone', id: command.prompt });
        return { kind: 'done' };
      case 'plan-hosts':
        return {
          kind: 'hosts',
          plan: {
            path: '/etc/hosts',
            action: command.action,
            diff: DIFF[command.action],
            before: '0',
            after: '1',
            satisfied: false,
            warnings: [],
          },
        };
      case 'apply-hosts':
        for (const view of this.#state.registries) {
          this.#tell({
            kind: 'registry',
            registry: { ...view, aliasReady: command.plan.action === 'apply' },
          });
        }
        return { kind: 'hosts', plan: { ...command.plan, satisfied: true, diff: '' } };
      case 'offer': {
        const id = this.#state.offers.length + 1;
        const state = { kind: 'offering' as const, since: Date.now() };
        const offer = {
          id,
          spec: command.offer,
          kept: false,
          state,
          connections: 0,
          bytesUp: 0,
          bytesDown: 0,
        };
        this.#tell({ kind: 'offer', offer });
        return { kind: 'done' };
      }
      case 'withdraw':
        this.#tell({ kind: 'offer-gone', id: command.offer });
        return { kind: 'done' };
      case 'plan-setup':
        return { kind: 'setup-plan', plan: setupPlan(this.#options.setup, command.action) };
      case 'apply-setup':
        return this.#applySetup(command.plan.action);
      case 'list-setup':
        return { kind: 'setup-applied', changes: this.#options.setup === 'satisfied' ? APPLIED : [] };
      case 'refresh-images':
      case 'quit':
        return { kind: 'done' };
      case 'change-registry': {
        const { name, lingerSeconds, remote, port, address, ...rest } = command.target;
        const view = this.#registry(command.was ?? name);
        const spec = {
          ...view.spec,
          ...rest,
          lingerSeconds: lingerSeconds ?? 10,
          remote: remote ?? '127.0.0.1:5000',
          port: port ?? 5000,
          address: address ?? view.spec.address,
        };
        this.#tell({ kind: 'registry', registry: { ...view, spec } });
        return { kind: 'registry', spec };
      }
      case 'retry': {
        const view = this.#state.transfers.find(({ id }) => id === command.transfer);
        if (!view)
          throw {
            code: 'not-found',
            message: `There is no transfer ${command.transfer}.`,
          } satisfies UiError;
        const { kind, road, registry, host, source, reference } = view;
        // The new one first: whoever looks at the old one finds it there when that goes.
        const reply = this.#begin({ kind, road, registry, host, source, reference });
        this.#tell({ kind: 'transfer-gone', id: command.transfer });
        return reply;
      }
      case 'retry-all':
        for (const { id, state } of this.#state.transfers) {
          if (state.kind === 'failed') await this.dispatch({ kind: 'retry', transfer: id });
        }
        return { kind: 'done' };
      case 'dismiss-all':
        for (const { id, finished } of this.#state.transfers) {
          if (finished !== null) this.#tell({ kind: 'transfer-gone', id });
        }
        return { kind: 'done' };
      case 'pause-all':
      case 'resume-all':
        this.#tell({ kind: 'paused', paused: command.kind === 'pause-all' });
        return { kind: 'done' };
      case 'look':
        await pause(120);
        return { kind: 'contents', contents: contents(command.look, this.#options.many) };
      case 'delete-image':
        return { kind: 'done' };
      case 'plan-collect':
        await pause(0.6 * SECOND);
        return { kind: 'collect-plan', plan: collectPlan(command.registry, command.untagged === true) };
      case 'collect':
        await pause(this.#options.collecting ?? 2 * SECOND);
        return {
          kind: 'collected',
          collected: {
            blobs: command.plan.blobs,
            manifests: command.plan.manifests,
            bytes: command.plan.bytes,
            stoppedSeconds: 2,
          },
        };
      case 'check-access':
      case 'login':
      case 'logout':
        return {
          kind: 'access',
          access: {
            authority: `${command.registry}:5000`,
            tls: false,
            scheme: { kind: 'basic' },
            user: command.kind === 'login' ? (command.user ?? null) : null,
            origin: command.kind === 'login' ? { kind: 'keyring' } : null,
          },
        };
      case 'doctor':
        return this.#examine(
          command.patient.kind === 'registry' ? command.patient.registry : command.patient.target.name,
          command.patient.kind === 'candidate',
        );
      case 'end-doctor':
        this.#tell({ kind: 'doctor-gone', id: command.doctor });
        return { kind: 'done' };
      case 'find-proposals':
        return { kind: 'proposals', proposals: PROPOSALS };
      case 'change-settings': {
        const { context, ...change } = command.change;
        const settings = { ...this.#state.settings, ...change };
        if (change.updateUrl === '') settings.updateUrl = null;
        if (context) settings.context = context.kind === 'named' ? context.name : null;
        this.#tell({ kind: 'settings', settings });
        return { kind: 'settings', settings };
      }
      case 'check-updates': {
        this.#tell({ kind: 'updates', updates: { ...this.#state.updates, asking: true } });
        await pause(SECOND);
        const release = {
          version: '0.2.0',
          url: 'https://example.org/dockline/0.2.0',
          notes: 'Pushes of many small layers take half the time.\nThe doctor knows two more causes.',
        };
        const last = { at: Date.now(), newest: release.version, release, isNews: true };
        const updates = { ...this.#state.updates, asking: false, last, failure: null };
        this.#tell({ kind: 'updates', updates });
        return { kind: 'updates', updates };
      }
      case 'list-contexts':
        return {
          kind: 'contexts',
          contexts: [
            { name: 'default', address: 'unix:///var/run/docker.sock', inUse: true },
            { name: 'rootless', address: 'unix:///run/user/1000/docker.sock', inUse: false },
            {
              name: 'lab',
              address: 'ssh://lab',
              inUse: false,
              unusable: 'Its engine is on another machine, which has no way to this one’s tunnels.',
            },
          ],
        };
      case 'export-registries':
        return {
          kind: 'team-file',
          text: this.#state.registries
            .map(({ spec }) => `[[registry]]\nname = "${spec.name}"\nssh = "${spec.ssh.host}"\n`)
            .join('\n'),
        };
      case 'plan-import':
      case 'import-registries':
        return { kind: 'import-plan', plan: importPlan(this.#state.registries.map(({ spec }) => spec)) };
    }
  }

  async #applySetup(action: 'apply' | 'undo'): Promise<Reply> {
    const words = [
      'Writing the settings',
      'Docker reads its settings again',
      'Docker asks for cr.boss.org:5000',
    ];
    for (const [done, word] of words.entries()) {
      this.#tell({ kind: 'setup', progress: { words: word, done, total: words.length } });
      await pause(0.7 * SECOND);
    }
    this.#tell({ kind: 'setup', progress: null });
    for (const view of this.#state.registries) {
      this.#tell({ kind: 'registry', registry: { ...view, aliasReady: action === 'apply' } });
    }
    return { kind: 'setup-report', report: setupReport(this.#options.setup, action) };
  }

  async #connect(name: string): Promise<Reply> {
    const view = this.#registry(name);
    const tunnel = { ...view.tunnel, leases: [{ holder: { kind: 'manual' as const }, since: Date.now() }] };
    this.#tell({
      kind: 'registry',
      registry: { ...view, tunnel: { ...tunnel, state: { kind: 'connecting', since: Date.now() } } },
    });
    await pause(0.9 * SECOND);
    if (this.#registry(name).tunnel.state.kind === 'connecting') {
      this.#tell({
        kind: 'registry',
        registry: { ...view, tunnel: { ...tunnel, state: { kind: 'up', since: Date.now() } } },
      });
    }
    return { kind: 'registry', spec: view.spec };
  }

  /** A row of its own while it is read, which may be cancelled meanwhile. */
  async #read({ registry, source, reference }: Record<'registry' | 'source' | 'reference', string>) {
    const id = this.#nextTransfer++;
    const begun = { registry, source, road: 'direct', started: Date.now() } as const;
    this.#tell({
      kind: 'transfer',
      transfer: transfer(id, {
        ...begun,
        reference: `${registry}:5000`,
        layers: [],
        current: 0,
        total: 0,
        share: null,
        state: { kind: 'waiting' },
      }),
    });
    await pause(this.#options.reading ?? READING);
    if (this.#state.transfers.find((view) => view.id === id)?.state.kind !== 'waiting')
      throw { code: 'cancelled', message: 'The transfer was stopped.' } satisfies UiError;
    return this.#begin({ ...begun, reference }, id);
  }

  #begin(more: Partial<TransferView>, id = this.#nextTransfer++): Reply {
    this.#tell({
      kind: 'transfer',
      transfer: transfer(id, {
        layers: [40, 8, 120, 0.002].map((size, n) => layer(id * 10 + n, { kind: 'waiting' }, 0, size * MB)),
        total: 168 * MB,
        started: Date.now(),
        ...more,
      }),
    });
    this.#carry(id);
    return { kind: 'transfer', id };
  }

  /** Moves one transfer until it ends, a few layers at a time. */
  #carry(id: number): void {
    const timer = setInterval(() => {
      const view = this.#state.transfers.find((other) => other.id === id);
      if (!view || (view.state.kind !== 'running' && view.state.kind !== 'waiting'))
        return clearInterval(timer);
      let budget = 1.1 * MB;
      const layers = view.layers.map((one) => {
        if (one.total === null || one.state.kind === 'exists' || one.state.kind === 'mounted') return one;
        const step = Math.min(budget, one.total - one.current);
        budget -= step;
        const current = one.current + step;
        const kind = current >= one.total ? 'done' : current > 0 ? 'transferring' : 'waiting';
        return { ...one, current, state: { kind } as const };
      });
      const moved = 1.1 * MB - budget;
      if (moved === 0) {
        clearInterval(timer);
        const verified = { digest: `sha256:${'5e'.repeat(32)}`, atRegistry: true };
        this.#change(id, {
          layers,
          current: view.total,
          state: { kind: 'done', verified },
          finished: Date.now(),
          rate: null,
          secondsLeft: null,
        });
        return;
      }
      const current = view.current + moved;
      const carrier = this.#state.registries.find(({ spec }) => spec.name === view.registry);
      if (carrier?.tunnel.state.kind === 'up') {
        // Not the same every second, as no line is.
        const wobble = 0.75 + 0.25 * Math.sin(Date.now() / 1_700);
        const bytesUp = carrier.tunnel.bytesUp + moved * wobble;
        const bytesDown = carrier.tunnel.bytesDown + moved * 0.04;
        this.#tell({
          kind: 'registry',
          registry: { ...carrier, tunnel: { ...carrier.tunnel, bytesUp, bytesDown } },
        });
      }
      this.#change(id, {
        state: { kind: 'running' },
        layers,
        current: Math.min(current, view.total),
        rate: 11 * MB,
        secondsLeft: Math.max(0, Math.round((view.total - current) / (11 * MB))),
      });
    }, TICK);
  }

  #storm(): void {
    let step = 0;
    setInterval(() => {
      const view = this.#state.transfers[0];
      if (!view) return;
      step += 1;
      const layers = view.layers.map((one) =>
        one.state.kind === 'transferring'
          ? { ...one, current: (one.current + 20_000) % (one.total ?? 1) }
          : one,
      );
      this.#change(view.id, {
        layers,
        current: Math.min(view.current + 5_000, view.total),
        rate: 11 * MB + step,
      });
    }, 5);
  }

  #examine(registry: string, isCandidate: boolean): Reply {
    const id = this.#nextTransfer++;
    let through = 0;
    const { broken } = this.#options;
    const tell = () =>
      this.#tell({
        kind: 'doctor',
        report: { ...report(id, registry, through, broken), isCandidate },
      });
    tell();
    const timer = setInterval(() => {
      through += 1;
      tell();
      if (through > LINKS.length) clearInterval(timer);
    }, TICK);
    return { kind: 'doctor', id };
  }

  #registry(name: string): RegistryView {
    const found = this.#state.registries.find(({ spec }) => spec.name === name);
    if (!found)
      throw { code: 'registry-unknown', message: `There is no registry called ${name}.` } satisfies UiError;
    return found;
  }

  #fail(): void {
    const error: UiError = {
      code: 'registry-disk-full',
      message: "The registry's disk is full.",
      hint: "Free space on the registry's host: delete tags nobody needs and run the registry's garbage collection, or give it a larger disk. Then push again; layers that arrived are kept.",
    };
    const running = this.#state.transfers.filter(({ state }) => state.kind === 'running');
    for (const { id } of running) this.#change(id, { state: { kind: 'failed', error } });
  }

  #change(id: number, more: Partial<TransferView>): void {
    const view = this.#state.transfers.find((other) => other.id === id);
    if (!view) return;
    const changed = { ...view, ...more };
    this.#tell({ kind: 'transfer', transfer: { ...changed, share: share(changed) } });
  }

  #tell(change: Change): void {
    const event = { sequence: this.#state.sequence + 1, change };
    this.#state = reduce(this.#state, event);
    this.#listener?.event(event);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
