// What the owner tells us, folded into one snapshot. Pure: no clock, no IO, nothing is changed in place, and an
// object that did not change keeps its identity, so that the views redraw only what is different.

import type { Change } from '../generated/Change';
import type { Told } from '../backend/backend';
import type { LayerView } from '../generated/LayerView';
import type { Snapshot } from '../generated/Snapshot';
import type { TransferView } from '../generated/TransferView';

/** How an event stands to a snapshot. */
export type Order = 'stale' | 'next' | 'gap';

/** Whether the snapshot has the event already, waits for just this one, or numbers are missing in between. */
export function order(snapshot: Snapshot, event: Told): Order {
  if (event.change.kind === 'resync') return 'next';
  if (event.sequence <= snapshot.sequence) return 'stale';
  return (event.after ?? event.sequence - 1) <= snapshot.sequence ? 'next' : 'gap';
}

/**
 * The snapshot after the event. Events carry whole objects, so one that comes after a gap is still true for what it
 * is about; who calls asks for a new snapshot for the rest (see `order`).
 */
export function reduce(snapshot: Snapshot, event: Told): Snapshot {
  if (event.change.kind === 'resync') return event.change.snapshot;
  if (order(snapshot, event) === 'stale') return snapshot;
  return { ...apply(snapshot, event.change), sequence: event.sequence };
}

function apply(snapshot: Snapshot, change: Change): Snapshot {
  switch (change.kind) {
    case 'registry':
      return {
        ...snapshot,
        registries: put(snapshot.registries, change.registry, (r) => r.spec.name),
      };
    case 'registry-gone':
      return {
        ...snapshot,
        registries: snapshot.registries.filter((r) => r.spec.name !== change.name),
      };
    case 'transfer':
      return {
        ...snapshot,
        transfers: put(snapshot.transfers, kept(snapshot, change.transfer), (t) => t.id),
      };
    case 'transfer-gone':
      return { ...snapshot, transfers: snapshot.transfers.filter((t) => t.id !== change.id) };
    case 'offer':
      return { ...snapshot, offers: put(snapshot.offers, change.offer, (o) => o.id) };
    case 'offer-gone':
      return { ...snapshot, offers: snapshot.offers.filter((o) => o.id !== change.id) };
    case 'engine':
      return { ...snapshot, engine: change.engine };
    case 'prompt':
      return { ...snapshot, prompts: put(snapshot.prompts, change.prompt, (p) => p.id) };
    case 'prompt-gone':
      return { ...snapshot, prompts: snapshot.prompts.filter((p) => p.id !== change.id) };
    case 'config':
      return { ...snapshot, configError: change.error };
    case 'usage': // passes by; see `Store.usage`
      return snapshot;
    case 'settings':
      return { ...snapshot, settings: change.settings };
    case 'paused':
      return { ...snapshot, paused: change.paused };
    case 'doctor':
      return { ...snapshot, doctors: put(snapshot.doctors, change.report, (d) => d.id) };
    case 'doctor-gone':
      return { ...snapshot, doctors: snapshot.doctors.filter((d) => d.id !== change.id) };
    case 'updates':
      return { ...snapshot, updates: change.updates };
    case 'setup':
      return { ...snapshot, setup: change.progress };
    case 'resync':
      return change.snapshot;
  }
}

/** The transfer with the layers that are as they were, so that only the bars that moved are drawn anew. */
function kept({ transfers }: Snapshot, transfer: TransferView): TransferView {
  const before = transfers.find(({ id }) => id === transfer.id)?.layers ?? [];
  const layers = transfer.layers.map((layer, at) => {
    const old = before[at];
    return old && isSame(old, layer) ? old : layer;
  });
  return { ...transfer, layers };
}

function isSame(a: LayerView, b: LayerView): boolean {
  return (
    a.id === b.id &&
    a.current === b.current &&
    a.total === b.total &&
    a.state.kind === b.state.kind &&
    a.state.kind !== 'retrying' &&
    a.state.kind !== 'mounted'
  );
}

function put<T>(list: readonly T[], item: T, key: (item: T) => string | number): T[] {
  const at = list.findIndex((other) => key(other) === key(item));
  return at < 0 ? [...list, item] : list.with(at, item);
}
