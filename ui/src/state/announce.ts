// What a screen reader is told when the state changes: ends and beginnings, never progress.

import type { View } from '../backend/backend';
import type { RegistryView } from '../generated/RegistryView';
import type { Snapshot } from '../generated/Snapshot';
import type { TransferView } from '../generated/TransferView';
import type { UiError } from '../generated/UiError';
import { saidPlainly } from '../sentences/sentences';
import { t } from '../strings';

/** The news between two snapshots, as sentences. */
export function announcements(before: Snapshot, after: Snapshot): string[] {
  const untold = reasons(before, after);
  const registries = after.registries.flatMap((registry) => {
    const old = before.registries.find((r) => r.spec.name === registry.spec.name);
    if (!old || old === registry) return [];
    // Whatever needed the tunnel says the same, and comes right after.
    const { state } = registry.tunnel;
    if (state.kind === 'failed' && untold.includes(state.error.message)) return [];
    return registryNews(old, registry);
  });
  const transfers = after.transfers.flatMap((transfer) => {
    const old = before.transfers.find((other) => other.id === transfer.id);
    return old === transfer ? [] : transferNews(old, transfer);
  });
  return [...registries, ...transfers];
}

/** Something that came to an end nobody wished for, and the page that shows it. */
export interface Failure {
  /** The same for the same thing. */
  key: string;
  view: View;
  name: string;
  registry: string;
  error: UiError;
}

/** The transfers and tunnels that have just failed; a tunnel's failure is not told again with each transfer's. */
export function failures(before: Snapshot, after: Snapshot): Failure[] {
  const transfers = after.transfers.flatMap(({ id, state, source, registry }): Failure[] => {
    const old = before.transfers.find((other) => other.id === id);
    if (state.kind !== 'failed' || old?.state.kind === 'failed') return [];
    return [{ key: transferKey(id), view: 'transfers', name: source, registry, error: state.error }];
  });
  const tunnels = after.registries.flatMap(({ spec: { name }, tunnel: { state } }): Failure[] => {
    const old = before.registries.find(({ spec }) => spec.name === name);
    if (state.kind !== 'failed' || !old || old.tunnel.state.kind === 'failed') return [];
    if (transfers.some(({ error }) => error.message === state.error.message)) return [];
    return [{ key: registryKey(name), view: 'registries', name, registry: name, error: state.error }];
  });
  return [...tunnels, ...transfers];
}

/** Whether it is still so: not tried again, mended, dismissed or removed. */
export function stillFailed({ key }: Failure, now: Snapshot): boolean {
  return (
    now.transfers.some(({ id, state }) => state.kind === 'failed' && key === transferKey(id)) ||
    now.registries.some(
      ({ spec, tunnel }) => tunnel.state.kind === 'failed' && key === registryKey(spec.name),
    )
  );
}

const transferKey = (id: number) => `transfer ${id}`;
const registryKey = (name: string) => `registry ${name}`;

/** A newer version that no answer had named before, if the person wants to be told of those. */
export function newerVersion(before: Snapshot, after: Snapshot): string | null {
  const { last } = after.updates;
  const isNew = last?.isNews && last.at !== before.updates.last?.at;
  return isNew && after.settings.notices.update ? (last.release?.version ?? null) : null;
}

/** Why the transfers failed that have just failed. */
function reasons(before: Snapshot, after: Snapshot): string[] {
  return after.transfers.flatMap((transfer) => {
    const { state } = transfer;
    const old = before.transfers.find(({ id }) => id === transfer.id);
    return state.kind === 'failed' && old?.state.kind !== 'failed' ? [state.error.message] : [];
  });
}

function registryNews(old: RegistryView, registry: RegistryView): string[] {
  const { name } = registry.spec;
  const { state } = registry.tunnel;
  if (old.tunnel.state.kind === state.kind) return [];
  switch (state.kind) {
    case 'up':
      return old.tunnel.state.kind === 'lingering' ? [] : [t.spoken.up(name)];
    case 'idle':
      return [t.spoken.down(name)];
    case 'failed':
      return [t.spoken.failed(name, saidPlainly(state.error.message))];
    case 'reconnecting':
      return [t.spoken.reconnecting(name)];
    case 'connecting':
    case 'lingering':
    case 'closing':
      return [];
  }
}

function transferNews(old: TransferView | undefined, transfer: TransferView): string[] {
  const { state, kind, source } = transfer;
  if (old?.state.kind === state.kind) return [];
  switch (state.kind) {
    case 'done':
      return [t.spoken.done[kind](source)];
    case 'failed':
      return [t.spoken.transferFailed(source, saidPlainly(state.error.message))];
    case 'cancelled':
      return [t.spoken.cancelled(source)];
    case 'paused':
      return [t.spoken.paused(source)];
    case 'waiting':
    case 'running':
      if (old === undefined) return [t.spoken.started[kind](source)];
      return old.state.kind === 'paused' ? [t.spoken.resumed(source)] : [];
    case 'verifying':
      return [];
  }
}
