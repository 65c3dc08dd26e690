// The same tables for the tray's program, whose menu and notifications say what the owner says, too. It has the same way
// of finding a sentence as sentences.ts (src-tauri/src/sentences), and test/sentences.cases.json holds both to it.

import { codes } from './codes.nl';
import { phrases } from './phrases.nl';
import { clauses, inOrder, patterns, type Pattern } from './tables';
import { inWindow } from './window.en';

/** The files that src-tauri embeds: a line for each pattern, in the order they are tried in, with a tab within. */
export function forTray(): Record<string, string> {
  const tables: Record<string, readonly Pattern[]> = {
    sentences: inOrder(patterns),
    clauses: inOrder(clauses),
    phrases: inOrder(phrases),
    codes: Object.entries(codes),
    window: inWindow,
  };
  return Object.fromEntries(
    Object.entries(tables).map(([name, lines]) => [
      `${name}.txt`,
      lines.map((one) => `${line(one)}\n`).join(''),
    ]),
  );
}

function line(pattern: Pattern): string {
  if (/[\t\r\\]/.test(pattern.join(''))) throw new Error(`“${pattern[0]}” has a tab or a backslash in it`);
  return pattern.map((text) => text.replaceAll('\n', '\\n')).join('\t');
}
