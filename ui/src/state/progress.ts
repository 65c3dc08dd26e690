// How far a transfer is, as a bar shows it.

import type { LayerView } from '../generated/LayerView';
import type { TransferView } from '../generated/TransferView';

/** How many of a transfer's layers have a size that nobody has told yet: engines tell it when a layer's turn comes. */
export function unsized({ layers }: TransferView): number {
  return layers.filter(
    ({ state, total }) => total === null && (state.kind === 'waiting' || state.kind === 'transferring'),
  ).length;
}

/**
 * The share that is done, 0 to 1, never less than `shown`: the total still grows while layers are being found, and a bar
 * that runs backwards is a lie about work that was done. `null` while there is nothing to measure. Full means finished,
 * so it stops just short of that until the registry's answer is in.
 */
export function fraction(transfer: TransferView, shown: number | null): number | null {
  switch (transfer.state.kind) {
    case 'done':
      return 1;
    case 'waiting':
      return shown;
    case 'paused':
    case 'running':
    case 'verifying':
    case 'failed':
    case 'cancelled':
      if (transfer.total <= 0) return shown;
      return Math.max(shown ?? 0, Math.min((transfer.current / transfer.total) * sized(transfer), 0.995));
  }
}

/** The share of layers that the total is about. The others are taken to be like them, so that two layers of sixty are not
 * nearly everything. */
function sized(transfer: TransferView): number {
  const all = transfer.layers.length;
  return all === 0 ? 1 : (all - unsized(transfer)) / all;
}

/** The share of one layer; a layer that begins again may fall back, since that is what happened. */
export function layerFraction(layer: LayerView): number | null {
  switch (layer.state.kind) {
    case 'done':
    case 'exists':
    case 'mounted':
      return 1;
    case 'waiting':
    case 'retrying':
      return 0;
    case 'transferring':
    case 'extracting':
      return layer.total ? Math.min(layer.current / layer.total, 1) : null;
  }
}

/** Bytes that did not have to travel, because the other side has them. */
export function skippedBytes(transfer: TransferView): number {
  return transfer.layers.reduce(
    (sum, layer) =>
      layer.state.kind === 'exists' || layer.state.kind === 'mounted' ? sum + (layer.total ?? 0) : sum,
    0,
  );
}

/** Whether something happens to it by itself, so that it can be held back. */
export function isMoving(transfer: TransferView): boolean {
  return !isFinal(transfer) && transfer.state.kind !== 'paused';
}

/** Whether nothing more will happen to it. */
export function isFinal(transfer: TransferView): boolean {
  switch (transfer.state.kind) {
    case 'waiting':
    case 'paused':
    case 'running':
    case 'verifying':
      return false;
    case 'done':
    case 'failed':
    case 'cancelled':
      return true;
  }
}
