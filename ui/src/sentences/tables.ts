// All patterns of the owner's sentences, and the order in which they are tried. No runes here: the file for the tray is
// made of this, too (see tray.ts).

import { collect } from './collect.nl';
import { doctor } from './doctor.nl';
import { engine } from './engine.nl';
import { flaws } from './flaws.nl';
import { needs } from './needs.nl';
import { owner } from './owner.nl';
import { reasons } from './reasons.nl';
import { registry } from './registry.nl';
import { setup } from './setup.nl';
import { transfers } from './transfers.nl';
import { tunnel } from './tunnel.nl';
import { updates } from './updates.nl';

/**
 * English and Dutch. `{1}` stands for a name or a figure, which is kept, or a phrase, which is said in Dutch; `{1!}` for
 * any words of the owner's, whole sentences too, which are said in Dutch in turn.
 */
export type Pattern = readonly [english: string, dutch: string];

/** Whole sentences. */
export const patterns: readonly Pattern[] = [
  ...tunnel,
  ...registry,
  ...collect,
  ...engine,
  ...needs,
  ...setup,
  ...owner,
  ...transfers,
  ...doctor,
  ...updates,
];

/** Clauses, which stand within a sentence or, with a capital and a stop, as one. */
export const clauses: readonly Pattern[] = [...reasons, ...flaws];

export const SLOT = /\{(\d)(!?)\}/g;

/** Those with the most words of their own first: `{1} answers.` would take in half of the others. */
export function inOrder(all: readonly Pattern[]): readonly Pattern[] {
  const own = ([english]: Pattern) => english.replaceAll(SLOT, '').length;
  return all.toSorted((a, b) => own(b) - own(a));
}
