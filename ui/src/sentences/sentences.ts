// What the owner says, in the window's language. The owner speaks English, to every face alike; here each of its
// sentences has a pattern, and what it names (hosts, files, figures) is carried over. A sentence without a pattern stays
// as it is, marked as English for screen readers (WCAG 2.2, 3.1.2), and an error begins with what its code means.

import type { UiError } from '../generated/UiError';
import { language } from '../state/language.svelte';
import { t } from '../strings';
import { codes } from './codes.nl';
import { phrases } from './phrases.nl';
import { clauses, inOrder, patterns, SLOT, type Pattern } from './tables';
import { inWindow } from './window.en';

export { clauses, patterns, type Pattern };

interface Compiled {
  english: RegExp;
  slots: string[];
  dutch: string;
}

/** A name or a figure: anything but the end of a sentence and the beginning of another. */
const PLAIN = '((?:(?![.?!] ).)+?)';

function compile([english, dutch]: Pattern): Compiled {
  const slots: string[] = [];
  const source = english.replaceAll(
    /\{(\d)(!?)\}|[\\^$.*+?()[\]{}|]/g,
    (part, number?: string, nested?: string) => {
      if (number === undefined) return `\\${part}`;
      slots.push(number + nested);
      return nested === '!' ? '(.+?)' : PLAIN;
    },
  );
  return { english: new RegExp(`^${source}$`, 's'), slots, dutch };
}

function compileAll(all: readonly Pattern[]): Compiled[] {
  return inOrder(all).map(compile);
}

let compiled: readonly Compiled[] | undefined;
let compiledClauses: readonly Compiled[] | undefined;
let compiledPhrases: readonly Compiled[] | undefined;
/** What was looked up: the same few sentences are drawn again and again. */
const known = new Map<string, string | null>();
const MOST_KNOWN = 500;

/** The sentence or sentences in Dutch, or null where a part of them has no pattern. */
export function inDutch(text: string): string | null {
  const before = known.get(text);
  if (before !== undefined) return before;
  const found = whole(text) ?? inParts(text);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, found);
  return found;
}

function whole(text: string): string | null {
  compiled ??= compileAll(patterns);
  return matching(text, compiled) ?? clauseAlone(text);
}

/** A clause that the owner gave a capital and a stop. */
function clauseAlone(text: string): string | null {
  if (!text.endsWith('.')) return null;
  const bare = text.slice(0, -1);
  const dutch = clause(bare) ?? clause(bare.charAt(0).toLowerCase() + bare.slice(1));
  return dutch === null ? null : `${dutch.charAt(0).toUpperCase()}${dutch.slice(1)}.`;
}

function clause(text: string): string | null {
  compiledClauses ??= compileAll(clauses);
  return matching(text, compiledClauses);
}

/** A part of a sentence that is no sentence. */
export function phrase(text: string): string | null {
  compiledPhrases ??= compileAll(phrases);
  return clause(text) ?? matching(text, compiledPhrases);
}

/** Words of the owner's in a sentence: a phrase, sentences, or lines of either, as of a file with several errors. */
function part(text: string): string | null {
  if (!text.includes('\n')) return phrase(text) ?? inDutch(text);
  const lines = text.split('\n').map((line) => {
    const words = line.trim();
    const dutch = words === '' ? '' : part(words);
    return dutch === null ? line : line.replace(words, () => dutch);
  });
  return lines.join('\n');
}

function matching(text: string, all: readonly Compiled[]): string | null {
  for (const { english, slots, dutch } of all) {
    const match = english.exec(text);
    if (!match) continue;
    const values = new Map(slots.map((slot, at) => [slot, match[at + 1] ?? '']));
    // Words without a pattern are somebody else's: they are quoted as they are.
    return dutch.replaceAll(SLOT, (_, number: string, nested: string) => {
      const value = values.get(number + nested) ?? '';
      return (nested === '!' ? part(value) : phrase(value)) ?? value;
    });
  }
  return null;
}

/** The owner says a few sentences at a time; what has more of them is somebody else's, and is not tried in every way. */
const MOST_ENDS = 20;

/** Several sentences in a row, the longest known beginning first. */
function inParts(text: string): string | null {
  const ends = [...text.matchAll(/[.!?] /g)].map(({ index }) => index + 1);
  if (ends.length > MOST_ENDS) return null;
  for (const end of ends.toReversed()) {
    const first = whole(text.slice(0, end));
    const rest = first === null ? null : inDutch(text.slice(end + 1));
    if (first !== null && rest !== null) return `${first} ${rest}`;
  }
  return null;
}

let windowed: readonly (readonly [RegExp, string])[] | undefined;

/** English as the window says it: with no command for a terminal where there is something to click. */
export function forWindow(text: string): string {
  if (!/dockline [a-z]|--[a-z]/.test(text)) return text;
  windowed ??= inWindow.map(([owner, words]) => {
    const source = owner.replaceAll(/\{1\}|[\\^$.*+?()[\]{}|]/g, (part) =>
      part === '{1}' ? '([^\\s`,]+)' : `\\${part}`,
    );
    return [new RegExp(source), words.replaceAll('{1}', '$1')] as const;
  });
  return windowed.reduce((said, [owner, words]) => said.replace(owner, words), text);
}

/** A text, and its language where that is not the window's. */
export interface Said {
  text: string;
  lang: 'en' | undefined;
}

/** Words of the owner's. */
export function said(text: string): Said {
  if (language.current === 'en') return { text: forWindow(text), lang: undefined };
  const dutch = inDutch(text);
  return dutch === null ? { text, lang: 'en' } : { text: dutch, lang: undefined };
}

/** The same as a plain text, for where no markup can be. */
export function saidPlainly(text: string): string {
  return said(text).text;
}

/** A name of the owner's within a sentence of the window's: a version is kept, “the engine at …” is a phrase. */
export function saidName(text: string): string {
  return language.current === 'en' ? text : (phrase(text) ?? text);
}

/** What an error says first: its own sentence, or what its code means where that sentence is not known. */
export function saidError(error: UiError): { lead: string | null; message: Said } {
  const message = said(error.message);
  return { lead: message.lang === 'en' ? (codes[error.code] ?? t.failed) : null, message };
}
