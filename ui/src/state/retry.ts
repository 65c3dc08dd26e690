// Which transfers can be halted and which can be done again.

import type { TransferView } from '../generated/TransferView';

/** Whether it can be halted: it waits, or Dockline itself carries it. An engine halts nothing that it has begun. */
export function canPause({ state, road }: TransferView): boolean {
  return state.kind === 'waiting' || (state.kind === 'running' && road === 'direct');
}

/** Whether it can be done once more: it ended without an image in its place. */
export function canRetry({ state }: TransferView): boolean {
  return state.kind === 'failed' || state.kind === 'cancelled';
}
