// The first start: what was typed so far, and how far it got. Kept on the disk of the web view as it is typed, so that
// leaving halfway loses nothing; gone once the first registry is there and the person is done.

import type { Command } from '../generated/Command';
import type { DoctorId } from '../generated/DoctorId';
import type { Proposal } from '../generated/Proposal';
import type { Snapshot } from '../generated/Snapshot';
import type { Target } from '../generated/Target';
import type { TransferView } from '../generated/TransferView';
import { emptyForm, readForm, type AddForm } from './add';
import { keep, read } from './language.svelte';
import { sshText } from './ssh';
import type { Store } from './store.svelte';

export type Step = 'choose' | 'test' | 'push';

const KEY = 'dockline.welcome';
/** The registry that was added, while its first push is still to come. */
const ADDED = 'dockline.welcome.added';

export class Welcome {
  step = $state<Step>('choose');
  form = $state<AddForm>(emptyForm());
  proposals = $state.raw<readonly Proposal[] | null>(null);
  /** The examination of what was typed. */
  doctor = $state.raw<DoctorId | null>(null);

  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    const kept = restore();
    if (kept) this.form = { ...emptyForm(), ...kept };
    const added = read(ADDED);
    if (added !== null) {
      this.form = { ...emptyForm(), name: added };
      this.step = 'push';
    }
  }

  /** The name of the registry that was added here. */
  get added(): string {
    return this.form.name.trim().toLowerCase();
  }

  /** The first push is done, or not wanted. */
  end(): void {
    keep(ADDED, null);
    this.form = emptyForm();
    this.step = 'choose';
  }

  /** A push to it that was taken is the first one, wherever in the window it was asked for. */
  sent(command: Command): void {
    if (this.step !== 'push') return;
    if (command.kind !== 'push' && command.kind !== 'push-archive') return;
    if (command.registry === this.added) this.end();
  }

  /** So is one that is done, whoever asked for it. */
  arrived(before: Snapshot | null, after: Snapshot): void {
    if (this.step !== 'push' || before?.transfers === after.transfers) return;
    // One that was done before may have been to a registry that had the name earlier.
    const known = new Set(before?.transfers.filter(isDone).map(({ id }) => id));
    const isFirst = (transfer: TransferView) =>
      isDone(transfer) && transfer.registry === this.added && !known.has(transfer.id);
    if (after.transfers.some(isFirst)) this.end();
  }

  /** Looks for registries that this machine seems to know. */
  async find(): Promise<void> {
    try {
      const reply = await this.#store.request({ kind: 'find-proposals' });
      this.proposals = reply.kind === 'proposals' ? reply.proposals : [];
    } catch {
      // Typing it works without.
      this.proposals = [];
    }
  }

  /** A container is a registry on this machine, which has no tunnel to it: what can be done is to offer it to a host. */
  take(proposal: Proposal): void {
    const { name, source, ssh, remote } = proposal;
    if (source.kind === 'container') {
      this.#store.dialog = { kind: 'offer', ...(remote === null ? {} : { to: remote }) };
      return;
    }
    this.form = {
      ...this.form,
      name: name ?? this.form.name,
      ssh: ssh ? sshText({ host: ssh.host, user: ssh.user, port: ssh.port }) : this.form.ssh,
      identity: ssh ? (ssh.identity ?? '') : this.form.identity,
      jump: ssh ? (ssh.jump ?? '') : this.form.jump,
      remote: remote && remote !== '127.0.0.1:5000' ? remote : '',
    };
    this.save();
  }

  save(): void {
    const { name, ssh, identity, jump, remote } = this.form;
    const empty = [name, ssh].every((text) => text.trim() === '');
    keep(KEY, empty ? null : JSON.stringify({ name, ssh, identity, jump, remote }));
  }

  target(): Target | null {
    const names = this.#store.snapshot?.registries.map(({ spec }) => spec.name) ?? [];
    return readForm(this.form, names).target;
  }

  /** Examines what was typed; the links turn as the owner tells of them. */
  async test(): Promise<void> {
    const target = this.target();
    if (!target) return;
    await this.forgetTest();
    const reply = await this.#store.request({
      kind: 'doctor',
      patient: { kind: 'candidate', target },
      roundTrip: true,
    });
    if (reply.kind === 'doctor') this.doctor = reply.id;
    this.step = 'test';
  }

  async forgetTest(): Promise<void> {
    const doctor = this.doctor;
    this.doctor = null;
    if (doctor !== null) await this.#store.request({ kind: 'end-doctor', doctor }).catch(() => {});
  }

  async add(): Promise<void> {
    const target = this.target();
    if (!target) return;
    await this.#store.request({ kind: 'add-registry', target });
    await this.forgetTest();
    keep(KEY, null);
    keep(ADDED, target.name);
    this.step = 'push';
  }
}

function isDone({ kind, state }: TransferView): boolean {
  return kind === 'push' && state.kind === 'done';
}

/** Texts that were kept; whatever else may stand there is not trusted. */
function restore(): Partial<AddForm> | null {
  try {
    const kept: unknown = JSON.parse(read(KEY) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return null;
    return Object.fromEntries(
      Object.entries(kept).filter(([key, value]) => key in emptyForm() && typeof value === 'string'),
    );
  } catch {
    return null;
  }
}
