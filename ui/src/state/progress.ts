// How far a transfer is, as a bar shows it.

import type { LayerView } from '../generated/LayerView';
import type { TransferView } from '../generated/TransferView';

/** How many of a transfer's layers have a size that nobody has told yet: engines tell it when a layer's turn comes. */
export function unsized({ layers }: TransferView): number {
  return layers.filter(
    ({ state: { kind }, total }) =>
      total === null && (kind === 'waiting' || kind === 'transferring' || kind === 'retrying'),
  ).length;
}

/** The share that is done, 0 to 1, as the owner tells it: it never falls. `null` while there is nothing to measure. */
export function shareOf({ share }: TransferView): number | null {
  return share === null ? null : share / 1000;
}

/** Bytes that crossed the line, where nobody tells what they are a part of; 0 where somebody does. */
export function crossed({ share, total, sent }: TransferView): number {
  return share === null && total === 0 ? sent : 0;
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

/** Whether it is an archive that is only being read: what its image is called, and where it goes, is not known yet. */
export function isBeingRead({ kind, state, reference }: TransferView): boolean {
  return kind === 'push' && state.kind === 'waiting' && !reference.includes('/');
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
