/// <reference types="vite/client" />
// What the owner says, in Dutch: the patterns work, they are about sentences that the sources have, and the sources'
// sentences are covered.

import { afterEach, describe, expect, test } from 'vitest';
import { language } from '../src/state/language.svelte';
import { registry, snapshot } from '../src/mock/words';
import { inDutch, patterns, said, saidError } from '../src/sentences/sentences';
import { phrases } from '../src/sentences/phrases.nl';
import { open } from './owner';

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
    'Zet uw publieke sleutel in authorized_keys op de server (`ssh-copy-id a@h`). De server aanvaardt: publickey.',
  ],
  [
    'Docker 28.5.2 cannot push there yet: Docker 28.5.2 lacks one setting.',
    'Docker 28.5.2 kan daar nog niet naartoe pushen: Docker 28.5.2 mist één instelling.',
  ],
  [
    'The way to cr.boss.org breaks at this link: the SSH login.',
    'De weg naar cr.boss.org breekt bij deze schakel: de SSH-login.',
  ],
  [
    'Directly: 2 of 5 layers are new to the registry and the line is fast; packed with gzip 1.',
    'Rechtstreeks: 2 van de 5 lagen zijn nieuw voor het register en de lijn is snel; ingepakt met gzip 1.',
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
  for (const [english, dutch] of [...patterns, ...phrases]) {
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
  const sources = import.meta.glob<string>('../../crates/*/src/**/*.rs', {
    query: '?raw',
    import: 'default',
    eager: true,
  });
  /** Every text in the sources, as one line each, with `{}` for what is put in. */
  const literals = Object.entries(sources).flatMap(([file, source]) =>
    [...source.split('#[cfg(test)]\nmod')[0]!.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g)].map(([, text = '']) => ({
      file,
      text: text
        .replaceAll(/\\\n\s*/g, '')
        .replaceAll('\\"', '"')
        .replaceAll(/\{[^{}]*\}/g, '{}'),
    })),
  );
  const all = literals.map(({ text }) => text.toLowerCase()).join('\n');

  test('no pattern is about what is not said any more', () => {
    expect(literals.length).toBeGreaterThan(1_000);
    const stale = [...patterns, ...phrases].filter(([english]) =>
      english
        .toLowerCase()
        .split(/\{\d!?\}|[.,:;()“”"]/)
        .map((piece) => piece.trim())
        .some((piece) => piece.length > 5 && !all.includes(piece)),
    );
    // A few may lag behind for a while; many are neglect.
    expect(stale.length, stale.map(([english]) => english).join('\n')).toBeLessThan(patterns.length / 20);
  });

  test('what people meet most is said in Dutch', () => {
    const met =
      /\/(tunnel\/src\/error|engine\/src\/error|registry\/src\/error|core\/src\/doctor|edits\/src\/setup)/;
    const sentences = [
      ...new Set(
        literals
          .filter(
            ({ file, text }) => met.test(file) && /^[A-Z{“].*[a-z{}].*\.$/.test(text) && text.includes(' '),
          )
          .map(({ text }) => text.replaceAll('{}', 'x1')),
      ),
    ];
    expect(sentences.length).toBeGreaterThan(150);
    const missing = sentences.filter((sentence) => inDutch(sentence) === null);
    expect(missing.length, missing.join('\n')).toBeLessThan(sentences.length / 8);
  });
});
