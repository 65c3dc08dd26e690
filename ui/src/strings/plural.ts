// Counts as the language that is chosen writes them, and with their word: one form for one, and one for the rest.

import { language } from '../state/language.svelte';

const formats = new Map<string, Intl.NumberFormat>();

/** `12,345`, or `12.345` in Dutch. */
export function whole(count: number): string {
  const known = formats.get(language.current) ?? new Intl.NumberFormat(language.current);
  formats.set(language.current, known);
  return known.format(count);
}

export const plural = (count: number, one: string, many: string) =>
  `${whole(count)} ${count === 1 ? one : many}`;
