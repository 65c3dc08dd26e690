/// <reference types="vite/client" />
// The tray's program says the owner's sentences as the window does: it has the same tables, and finds a sentence in them
// in the same way. src-tauri/src/sentences/tests.rs checks the same cases there.

import { expect, test } from 'vitest';
import cases from './sentences.cases.json';
import { forWindow, inDutch } from '../src/sentences/sentences';
import { forTray } from '../src/sentences/tray';

const embedded = import.meta.glob<string>('../../src-tauri/data/sentences/*', {
  query: '?raw',
  import: 'default',
  eager: true,
});

test('the tray has the sentences that the window has', () => {
  const files = Object.entries(embedded).map(([path, text]) => [path.split('/').at(-1), text]);
  const differing = Object.entries(forTray()).filter(
    ([name, text]) => Object.fromEntries(files)[name] !== text,
  );
  const names = differing.map(([name]) => name);
  expect(names, 'run `cargo xtask bindings`, and commit src-tauri/data/sentences').toEqual([]);
  expect(files).toHaveLength(Object.keys(forTray()).length);
});

test.each(cases.dutch)('“%s” in Dutch', (english, dutch) => expect(inDutch(english!)).toBe(dutch));

test.each(cases.window)('“%s” in the window', (owner, window) => expect(forWindow(owner!)).toBe(window));
