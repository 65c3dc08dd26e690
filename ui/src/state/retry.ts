// The command that does a failed transfer once more.

import type { Command } from '../generated/Command';
import type { TransferView } from '../generated/TransferView';
import { split } from './reference';

/** Null for an archive: only its file name is known, not where it was. */
export function again(transfer: TransferView): Command | null {
  if (transfer.road === 'direct') return null;
  const host = transfer.host ?? undefined;
  switch (transfer.kind) {
    case 'push':
      return {
        kind: 'push',
        image: transfer.source,
        registry: transfer.registry,
        reference: split(transfer.reference).rest,
        host,
      };
    case 'pull':
      return { kind: 'pull', reference: transfer.reference };
    case 'ship':
      return host ? { kind: 'ship', image: transfer.source, host, reference: transfer.reference } : null;
    case 'copy':
      return { kind: 'copy', from: transfer.source, to: transfer.reference, host };
  }
}
