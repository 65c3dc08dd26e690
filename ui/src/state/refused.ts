// Several things were asked for, and some of them refused: said once for each reason, with as many names as one reads.

import type { UiError } from '../generated/UiError';
import { saidError, saidPlainly } from '../sentences/sentences';
import { t } from '../strings';

/** One of them. */
export interface Refused {
  /** What it is called. */
  name: string;
  error: UiError;
}

/** Names that are said; the rest is counted. */
const NAMES = 3;
/** Reasons that are given. */
export const REASONS = 3;

/** “a, b, c and 47 more”. */
export function listed(names: readonly string[]): string {
  // One more is no longer than its count.
  if (names.length <= NAMES + 1) return t.list([...names]);
  return t.list([...names.slice(0, NAMES), t.others(names.length - NAMES)]);
}

/** Those with the same reason together. */
export interface Reason {
  names: string[];
  error: UiError;
}

export function reasons(refused: readonly Refused[]): Reason[] {
  const all = new Map<string, Reason>();
  for (const { name, error } of refused) {
    const key = `${error.code} ${error.message}`;
    const known = all.get(key);
    if (known) known.names.push(name);
    else all.set(key, { names: [name], error });
  }
  return [...all.values()];
}

/** An error in plain words, without what to do. */
export function plainly(error: UiError): string {
  const { lead, message } = saidError(error);
  return lead === null ? message.text : `${lead} ${message.text}`;
}

/** What to do about all of them, each advice once. */
export function hints(all: readonly Reason[]): string | null {
  const texts = all.flatMap(({ error }) => (error.hint ? [saidPlainly(error.hint)] : []));
  return texts.length === 0 ? null : [...new Set(texts)].join(' ');
}

/** The sentences about all of them; `say` makes one of names, how many they are, and why. */
export function summary(
  all: readonly Reason[],
  say: (names: string, count: number, why: string) => string,
): string {
  const said = all
    .slice(0, REASONS)
    .map(({ names, error }) => say(listed(names), names.length, plainly(error)));
  const rest = all.slice(REASONS).flatMap(({ names }) => names);
  if (rest.length > 0) said.push(t.refusedToo(listed(rest), rest.length));
  return said.join(' ');
}
