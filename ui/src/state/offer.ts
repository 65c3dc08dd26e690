// Offering a registry of this machine to a host: the form, and how an offer reads.

import type { OfferSpec } from '../generated/OfferSpec';
import type { OfferView } from '../generated/OfferView';
import type { UiError } from '../generated/UiError';
import { t } from '../strings';
import { parsePort, parseSsh } from './ssh';

export function emptyOffer() {
  return { ssh: '', port: '', to: '' };
}

export type OfferForm = ReturnType<typeof emptyOffer>;
export type OfferFlaws = Partial<Record<keyof OfferForm, string>>;

/** `spec` is null while anything is wrong. */
export function readOffer(form: OfferForm): { spec: OfferSpec | null; flaws: OfferFlaws } {
  const flaws: OfferFlaws = {};
  const ssh = parseSsh(form.ssh);
  if (!ssh) flaws.ssh = t.add.sshFlaw;
  const port = form.port.trim() === '' ? 5000 : parsePort(form.port);
  if (port === null) flaws.port = t.add.portFlaw;
  const to = readTo(form.to);
  if (to === null) flaws.to = t.offer.toFlaw;
  return { spec: ssh && port !== null && to !== null ? { ssh, port, to } : null, flaws };
}

/** An address and a port; a port alone, or nothing, means this machine's own. */
function readTo(text: string): string | null {
  const plain = text.trim().replace(/^localhost:/, '');
  if (plain === '') return '127.0.0.1:5000';
  if (parsePort(plain) !== null) return `127.0.0.1:${plain}`;
  const parts = /^(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]):(\d+)$/i.exec(plain);
  const octets = parts?.[1]?.startsWith('[') ? [] : (parts?.[1]?.split('.') ?? []);
  const fits =
    parts?.[2] !== undefined && parsePort(parts[2]) !== null && octets.every((o) => Number(o) <= 255);
  return fits ? plain : null;
}

/** What is wrong with it at the moment. */
export function offerError({ state, error }: OfferView): UiError | null {
  switch (state.kind) {
    case 'reconnecting':
    case 'failed':
      return state.error;
    case 'connecting':
    case 'offering':
      return error ?? null;
  }
}
