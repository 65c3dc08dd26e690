// The command that does a failed transfer once more.

import type { Command } from '../generated/Command';
import type { TransferView } from '../generated/TransferView';
import { split } from './reference';

/** Null for an archive: only its file name is known, not where it was. */
export function again(transfer: TransferView): Command | null {
  if (transfer.road === 'direct') return null;
  return transfer.kind === 'push'
    ? {
        kind: 'push',
        image: transfer.source,
        registry: transfer.registry,
        reference: split(transfer.reference).rest,
      }
    : { kind: 'pull', reference: transfer.reference };
}
