// What a registry's card says and offers, worked out from its view.

import type { LeaseView } from '../generated/LeaseView';
import type { RegistryView } from '../generated/RegistryView';
import type { TransferView } from '../generated/TransferView';
import type { TunnelState } from '../generated/TunnelState';
import type { UiError } from '../generated/UiError';
import { duration } from '../format';
import { t } from '../strings';

/** One holder, or several of the same kind, in words. */
export interface Holder {
  kind: LeaseView['holder']['kind'];
  text: string;
}

/** What the state adds to its name: since when, until when. */
export function stateDetail(state: TunnelState, now: number): string | null {
  switch (state.kind) {
    case 'idle':
      return t.tunnelDetail.idle;
    case 'up':
      return t.tunnelDetail.upSince(duration(now - state.since));
    case 'reconnecting':
      return state.retryAt > now
        ? t.tunnelDetail.retryIn(duration(state.retryAt - now))
        : t.tunnelDetail.retrying(state.failures);
    case 'lingering':
      return t.tunnelDetail.closesIn(duration(state.until - now));
    case 'connecting':
    case 'closing':
    case 'failed':
      return null;
  }
}

/** The error a card shows: the tunnel's own, why nothing can connect to it, or why nothing gets through it. */
export function tunnelError({ tunnel }: RegistryView): UiError | null {
  switch (tunnel.state.kind) {
    case 'failed':
    case 'reconnecting':
      return tunnel.state.error;
    case 'idle':
    case 'connecting':
    case 'up':
    case 'lingering':
    case 'closing':
      return tunnel.listenerError ?? tunnel.forwardError ?? null;
  }
}

/** Who holds the tunnel open; five connections of dockerd are one entry. */
export function holders(leases: readonly LeaseView[], transfers: readonly TransferView[]): Holder[] {
  const counted = new Map<string, Holder & { count: number }>();
  for (const lease of leases) {
    const text = holderText(lease, transfers);
    const key = `${lease.holder.kind} ${text}`;
    const known = counted.get(key);
    if (known) known.count += 1;
    else counted.set(key, { kind: lease.holder.kind, text, count: 1 });
  }
  return [...counted.values()].map(({ kind, text, count }) => ({
    kind,
    text: t.registries.times(text, count),
  }));
}

function holderText(lease: LeaseView, transfers: readonly TransferView[]): string {
  const { holder } = lease;
  switch (holder.kind) {
    case 'manual':
      return t.registries.holders.you;
    case 'visit':
      return t.registries.holders.visit;
    case 'face':
      return t.registries.holders.face;
    case 'transfer': {
      const transfer = transfers.find(({ id }) => id === holder.id);
      return transfer ? t.registries.holders[transfer.kind](transfer.source) : t.registries.holders.transfer;
    }
    case 'connection':
      return lease.program ? t.registries.holders.program(lease.program) : t.registries.holders.connection;
  }
}

/** Holders that a disconnect would cut off. */
export function others(leases: readonly LeaseView[]): LeaseView[] {
  return leases.filter(({ holder, isOwn }) => holder.kind !== 'manual' && !isOwn);
}

/** Which buttons a card has. */
export interface Actions {
  connect: 'connect' | 'again' | 'keepOpen' | null;
  disconnect: 'disconnect' | 'stop' | 'closeNow' | null;
}

export function actions({ tunnel, spec }: RegistryView): Actions {
  // Without a tunnel there is nothing to open.
  if (spec.url) return { connect: null, disconnect: null };
  const mine = tunnel.leases.some(({ holder }) => holder.kind === 'manual');
  switch (tunnel.state.kind) {
    case 'idle':
      return { connect: 'connect', disconnect: null };
    case 'failed':
      return { connect: 'again', disconnect: null };
    case 'connecting':
    case 'reconnecting':
      return { connect: null, disconnect: 'stop' };
    case 'up':
      return { connect: mine ? null : 'keepOpen', disconnect: 'disconnect' };
    case 'lingering':
      return { connect: 'keepOpen', disconnect: 'closeNow' };
    case 'closing':
      return { connect: null, disconnect: null };
  }
}
