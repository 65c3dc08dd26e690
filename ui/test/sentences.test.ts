/// <reference types="vite/client" />
// What the owner says, in Dutch: the patterns work, they are about sentences that the sources have, and the sources'
// sentences are covered.

import { afterEach, describe, expect, test } from 'vitest';
import { language } from '../src/state/language.svelte';
import { registry, snapshot } from '../src/mock/words';
import { forWindow, clauses, inDutch, patterns, said, saidError } from '../src/sentences/sentences';
import { phrases } from '../src/sentences/phrases.nl';
import { open } from './owner';
import { unsaid, unsaidFiles } from './unsaid';

afterEach(() => language.choose('system'));

test.each([
  [
    '88.88.88.88 did not answer on port 22 within 3 s.',
    '88.88.88.88 antwoordde niet binnen 3 s op poort 22.',
  ],
  // An error inside another.
  [
    'The jump host gate could not be passed. gate could not be reached on port 22: the connection was refused.',
    'De tussenhost gate liet ons niet door. gate is niet te bereiken op poort 22: de verbinding werd geweigerd.',
  ],
  // Several sentences in a row, each of its own.
  [
    "Add your public key to the server's authorized_keys (`ssh-copy-id a@h`). The server accepts: publickey.",
    'Zet uw publieke sleutel in authorized_keys op de server (`ssh-copy-id a@h`). De server accepteert: publickey.',
  ],
  [
    'Docker 28.5.2 cannot push there yet: Docker 28.5.2 lacks one setting.',
    'Docker 28.5.2 kan daar nog niet naartoe pushen: Docker 28.5.2 mist één instelling.',
  ],
  [
    'The connection to cr.boss.org breaks at this link: the SSH login.',
    'De verbinding met cr.boss.org breekt bij deze schakel: de SSH-login.',
  ],
  [
    'Directly: 2 of 5 layers are new to the registry and the line is fast; compressed with gzip at level 1.',
    'Rechtstreeks: 2 van de 5 lagen zijn nieuw voor de registry en de lijn is snel; gecomprimeerd met gzip op niveau 1.',
  ],
  // A reason within a sentence, one that stands alone, and a file with several flaws.
  [
    'The SSH session with gate was lost: the server closed the connection.',
    'De SSH-sessie met gate is verloren gegaan: de server sloot de verbinding.',
  ],
  [
    '“App” has capital letters in its name; repositories are written in lower case.',
    '“App” heeft hoofdletters in de naam; repository’s schrijft men met kleine letters.',
  ],
  [
    '/home/you/config.toml has 2 problems:\n  line 3, column 1: port must be a text in quotes\n  line 9, column 4: bad value',
    '/home/you/config.toml bevat 2 fouten:\n  regel 3, kolom 1: port moet een tekst tussen aanhalingstekens zijn\n  regel 9, kolom 4: bad value',
  ],
  [
    'The registry failed to store a layer (HTTP 500).',
    'Het lukte de registry niet om een laag op te slaan (HTTP 500).',
  ],
])('“%s”', (english, dutch) => expect(inDutch(english)).toBe(dutch));

test('a sentence that is not known is left alone, and not half translated', () => {
  expect(inDutch('The moon is full and the tide is high.')).toBeNull();
  expect(inDutch('The tunnel was disconnected. The moon is full.')).toBeNull();
});

test('English stays English', () => {
  language.choose('en');
  expect(said('The tunnel was disconnected.')).toEqual({
    text: 'The tunnel was disconnected.',
    lang: undefined,
  });
  expect(saidError({ code: 'internal', message: 'The moon is full.' }).lead).toBeNull();
});

test('an error begins in Dutch even if its own words are not known', async () => {
  language.choose('nl');
  const error = { code: 'ssh-auth', message: 'The moon is full.', hint: 'Run ssh-add.' } as const;
  const { screen } = await open(
    snapshot({
      registries: [registry('cr.boss.org', { kind: 'failed', error })],
      settings: { ...snapshot({}).settings, language: 'nl' },
    }),
  );
  const shown = screen.getByTestId('registry-error');
  expect(shown.textContent).toContain('De host liet ons niet inloggen.');
  const english = [...shown.querySelectorAll('[lang="en"]')].map((part) => part.textContent);
  expect(english).toEqual(['The moon is full.', 'Run ssh-add.']);
});

const slots = (text: string) => [...text.matchAll(/\{\d!?\}/g)].map(([slot]) => slot).toSorted();

test('Dutch names nothing that English does not', () => {
  for (const [english, dutch] of [...patterns, ...clauses, ...phrases]) {
    const known = slots(english);
    expect(new Set(known).size, english).toBe(known.length);
    for (const slot of slots(dutch)) expect(known, dutch).toContain(slot);
    // Words of the owner's that are said in Dutch in turn must not get lost.
    expect(
      slots(dutch).filter((slot) => slot.includes('!')),
      dutch,
    ).toEqual(known.filter((slot) => slot.includes('!')));
  }
});

describe('beside the sources', () => {
  const sources = import.meta.glob<string>(
    '../../crates/{core,edits,engine,helper,model,registry,tunnel}/src/**/*.rs',
    {
      query: '?raw',
      import: 'default',
      eager: true,
    },
  );
  /** The few sentences of the window's own program; the tray's has both languages beside each other. */
  const shell = import.meta.glob<string>('../../src-tauri/src/{link.rs,bin/**/*.rs}', {
    query: '?raw',
    import: 'default',
    eager: true,
  });
  /** Every text in the sources, as one line each, with `{}` for what is put in; none of tests, logs and assertions. */
  const literals = Object.entries(sources).flatMap(([file, source]) => {
    const code = source
      .split(/#\[cfg\(test\)\]\s*mod \w+ \{/)[0]!
      .replaceAll(/b?'\\?"'/g, "''")
      .replaceAll(/^\s*\/\/.*$/gm, '')
      .replaceAll(/ \/\/ .*$/gm, '');
    return [...code.matchAll(/\br(#*)"[\s\S]*?"\1|"((?:[^"\\]|\\[\s\S])*)"/g)].flatMap(
      ({ index, 2: text }) => {
        if (text === undefined) return []; // raw: paths and patterns
        const before = code.slice(Math.max(0, index - 120), index);
        if (/\b(warn|info|debug|error|trace|panic|unreachable|assert\w*)!\((?:[^;"]|"[^"]*")*$/.test(before))
          return [];
        if (/\bexpect\(\s*$|\breason = $/.test(before)) return [];
        const line = text
          .replaceAll(/\\\n\s*/g, '')
          .replaceAll('\\"', '"')
          .replaceAll('\\n', '\n')
          .replaceAll(/\{[^{}]*\}/g, '{}');
        return [{ file, text: line }];
      },
    );
  });

  test('no pattern is about what is not said any more', () => {
    expect(literals.length).toBeGreaterThan(1_000);
    const own = literals.map(({ text }) => text);
    const all = [...own, ...Object.values(shell)].join('\n').toLowerCase();
    const stale = [...patterns, ...clauses, ...phrases].filter(
      ([english]) =>
        !english.includes('(os error') &&
        english
          .toLowerCase()
          .split(/\{\d!?\}|[.,:;()“”"\n]/)
          .map((piece) => piece.trim())
          .some((piece) => piece.length > 5 && !all.includes(piece)),
    );
    // A few may lag behind for a while; many are neglect.
    expect(stale.length, stale.map(([english]) => english).join('\n')).toBeLessThan(patterns.length / 20);
  });

  test('whatever the owner says has Dutch', () => {
    const skeletons = new Set(
      [...patterns, ...clauses, ...phrases].map(([english]) => english.replaceAll(/\{\d!?\}/g, '{}')),
    );
    const isSaid = (literal: string) => {
      if (skeletons.has(literal)) return true;
      let slot = 0;
      const text = literal.replaceAll('{}', () => `x${++slot}`);
      const capital = text.charAt(0).toUpperCase() + text.slice(1);
      // An error's words as they are, as a sentence, and as one with its cause.
      return [text, `${capital}.`, `${capital}: x9.`].some((sentence) => inDutch(sentence) !== null);
    };
    const words = (text: string) => text.match(/[a-z]{2,}/g)?.length ?? 0;
    const said = literals.filter(
      ({ file, text }) =>
        words(text) >= 2 &&
        /[a-z] |[a-z}]$/.test(text) &&
        text.trim().includes(' ') &&
        !unsaid.has(text) &&
        !unsaid.has(text.trim()) &&
        !unsaidFiles.some(([name]) => name.test(file)),
    );
    expect(said.length).toBeGreaterThan(600);
    const missing = said.filter(({ text }) => !isSaid(text.trim()));
    const list = [...new Set(missing.map(({ file, text }) => `${file}: ${text}`))].join('\n');
    expect(list, 'add their Dutch in src/sentences').toBe('');
  });
});

// Sentences that the window never shows: they are of the command line's own, or of a Dockline that does not run.
const TERMINAL = /dockline (agent|connect)/;
const COMMAND = /dockline (add|doctor|list|login|pull|push|remove|setup|status|team)/;

test('the window sends nobody to a terminal for what it does itself', () => {
  const commands = patterns.filter(([english]) => COMMAND.test(english) && !TERMINAL.test(english));
  expect(commands.length).toBeGreaterThan(10);
  const sent = commands.flatMap(([english, dutch]) =>
    [forWindow(english.replaceAll(/\{\d!?\}/g, 'cr.boss.org')), dutch].filter((text) => COMMAND.test(text)),
  );
  expect(sent).toEqual([]);
  expect(forWindow('Log in: dockline login cr.boss.org')).toBe('Log in to cr.boss.org.');
  expect(forWindow('Let Dockline put the name into the hosts file: dockline setup')).toBe(
    'Let Dockline put the name into the hosts file.',
  );
});
