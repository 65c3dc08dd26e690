// A failed transfer for a bug report: what was tried, what came of it, the other side's own words. In English whatever
// the window's language, since it is read by whoever keeps Dockline; and nothing in it that the person did not see.

import type { TransferView } from '../generated/TransferView';
import { en } from '../strings/en';

export function reportOf(transfer: TransferView): string {
  const { state } = transfer;
  const error = state.kind === 'failed' ? state.error : null;
  const lines = [
    `Dockline: ${transfer.kind} of ${transfer.source}, ${state.kind}`,
    `reference: ${transfer.reference}`,
    `road: ${transfer.road}`,
    `started: ${new Date(transfer.started).toISOString()}`,
    transfer.finished === null ? '' : `ended: ${new Date(transfer.finished).toISOString()}`,
    `bytes: ${transfer.current} of ${transfer.total}, ${transfer.sent} sent, ${transfer.skipped} skipped`,
    error ? `code: ${error.code}` : '',
    error ? `message: ${error.message}` : '',
    error?.hint ? `hint: ${error.hint}` : '',
    ...transfer.layers.map(
      (layer) => `layer ${layer.id}: ${layer.state.kind}, ${layer.current} of ${layer.total ?? '?'}`,
    ),
    error?.details ? `${en.details}:\n${error.details}` : '',
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}
