// Transfers by what a person would do about them, and all that run as one figure.

import type { TransferId } from '../generated/TransferId';
import type { TransferView } from '../generated/TransferView';
import { isFinal, shareOf, unsized } from './progress';

export type Group = 'running' | 'waiting' | 'failed' | 'done';
export const GROUPS: readonly Group[] = ['running', 'waiting', 'failed', 'done'];

export function groupOf(transfer: TransferView): Group {
  switch (transfer.state.kind) {
    case 'running':
    case 'verifying':
      return 'running';
    case 'waiting':
    case 'paused':
      return 'waiting';
    case 'failed':
    case 'cancelled':
      return 'failed';
    case 'done':
      return 'done';
  }
}

/** Each group's transfers: what is under way in the order it was asked for, what is over with the latest on top. */
export function grouped(transfers: readonly TransferView[]): { group: Group; transfers: TransferView[] }[] {
  return GROUPS.map((group) => {
    const members = transfers.filter((transfer) => groupOf(transfer) === group);
    return { group, transfers: group === 'failed' || group === 'done' ? members.toReversed() : members };
  }).filter((entry) => entry.transfers.length > 0);
}

/** Everything under way, as one. */
export interface Overall {
  /** The transfers that count: under way now, or finished since anything was. */
  members: ReadonlySet<TransferId>;
  /** 0 to 1, and never less than before while the same batch goes on. */
  share: number;
  current: number;
  total: number;
  rate: number;
  secondsLeft: number | null;
}

/** The batch after a change; null when nothing is under way. */
export function overall(transfers: readonly TransferView[], before: Overall | null): Overall | null {
  const active = transfers.filter((transfer) => !isFinal(transfer));
  if (active.length === 0) return null;
  const members = new Set([...(before?.members ?? []), ...active.map(({ id }) => id)]);
  // What failed or was called off has nothing left to do; it would hold the bar back for good.
  const counted = transfers.filter(
    ({ id, state }) => members.has(id) && state.kind !== 'failed' && state.kind !== 'cancelled',
  );
  const sum = (figure: (transfer: TransferView) => number) =>
    counted.reduce((so, transfer) => so + figure(transfer), 0);
  const total = sum((transfer) => transfer.total);
  const current = sum((transfer) => Math.min(transfer.current, transfer.total));
  const moved = sum((transfer) => (shareOf(transfer) ?? 0) * transfer.total);
  const rate = sum((transfer) => (isFinal(transfer) ? 0 : (transfer.rate ?? 0)));
  // A transfer whose size is not known yet makes every estimate a guess.
  const known = active.every((transfer) => transfer.total > 0 && unsized(transfer) === 0);
  return {
    members,
    share: Math.max(before?.share ?? 0, total > 0 ? Math.min(moved / total, 0.995) : 0),
    current,
    total,
    rate,
    secondsLeft: known && rate > 0 ? (total - current) / rate : null,
  };
}
