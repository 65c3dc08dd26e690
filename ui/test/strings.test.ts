/// <reference types="vite/client" />
// Both languages say the same things, and no words stand anywhere else.

import { parse, type AST } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { language } from '../src/state/language.svelte';
import { t } from '../src/strings';
import { en } from '../src/strings/en';
import { nl } from '../src/strings/nl';

/** Every entry with its path; a function by how many words it takes. */
function entries(value: unknown, path = ''): string[] {
  if (typeof value === 'function') return [`${path}(${value.length})`];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => entries(inner, `${path}.${key}`));
}

test('English and Dutch have the same entries', () => {
  expect(entries(nl)).toEqual(entries(en));
});

test('no entry of a language is empty, or forgotten in the other one', () => {
  const same: string[] = [];
  const compare = (a: unknown, b: unknown, path: string) => {
    if (typeof a === 'string') {
      expect(a.trim(), path).not.toBe('');
      if (a === b && a.split(' ').length > 3) same.push(path);
    } else if (typeof a === 'object' && a !== null) {
      for (const [key, inner] of Object.entries(a)) {
        compare(inner, (b as Record<string, unknown>)[key], `${path}.${key}`);
      }
    }
  };
  compare(en, nl, '');
  expect(same, 'sentences that were not translated').toEqual([]);
});

test('the words change with the language', () => {
  language.choose('nl');
  expect(t.nav.settings).toBe('Instellingen');
  language.choose('en');
  expect(t.nav.settings).toBe('Settings');
  language.choose('system');
});

/** Attributes that are read or heard. */
const SPOKEN = new Set(['aria-label', 'title', 'alt', 'label', 'aria-description']);
const WORD = /\p{L}{2}/u;

function words(node: unknown, found: string[]): void {
  if (Array.isArray(node)) for (const one of node) words(one, found);
  else if (typeof node === 'object' && node !== null) {
    const { type, data, name, value } = node as {
      type?: string;
      data?: string;
      name?: string;
      value?: unknown;
    };
    if (type === 'StyleDirective') return;
    if (type === 'Text' && data && WORD.test(data)) found.push(data.trim());
    if (type === 'Attribute') {
      if (!SPOKEN.has(name ?? '')) return;
      words(value, found);
      return;
    }
    for (const inner of Object.values(node)) words(inner, found);
  }
}

test('no words stand in the components', () => {
  const files = Object.entries(
    import.meta.glob<string>('../src/**/*.svelte', { query: '?raw', import: 'default', eager: true }),
  );
  expect(files.length).toBeGreaterThan(40);
  const loose = files.flatMap(([file, source]) => {
    const found: string[] = [];
    const root: AST.Root = parse(source, { modern: true });
    words(root.fragment, found);
    return found.map((text) => `${file}: ${text}`);
  });
  expect(loose).toEqual([]);
});
