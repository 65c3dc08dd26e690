// The size of the text, the engine's choice where there is nothing to see, and newer versions.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import type { Snapshot } from '../src/generated/Snapshot';
import type { UiError } from '../src/generated/UiError';
import { registry, snapshot } from '../src/mock/words';
import { text } from '../src/state/text.svelte';
import { open, type ScriptedOwner } from './owner';

afterEach(() => text.choose(100));

const changes = (commands: { kind: string }[]) => commands.filter(({ kind }) => kind === 'change-settings');
const size = () => document.documentElement.style.fontSize;

test('the text grows and shrinks with the keys of every browser, in dialogs too, and that is kept', async () => {
  const { owner, store, screen, user } = await open(snapshot({}));
  await user.keyboard('{Control>}+{/Control}');
  expect(size()).toBe('115%');
  store.dialog = { kind: 'add' };
  await screen.findByTestId('add-dialog');
  await user.keyboard('{Control>}={/Control}');
  expect(size()).toBe('130%');
  // One change, or more on a loaded machine; the last one is what is seen.
  await waitFor(() =>
    expect(changes(owner.asked()).at(-1)).toEqual({ kind: 'change-settings', change: { textPercent: 130 } }),
  );
  await user.keyboard('{Control>}-{/Control}');
  expect(size()).toBe('115%');
  await user.keyboard('{Control>}0{/Control}');
  expect(size()).toBe('');
  for (let n = 0; n < 9; n += 1) await user.keyboard('{Control>}+{/Control}');
  expect(size()).toBe('200%');
});

test('the size of the text is chosen in the settings, and follows whoever changes it', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  await user.click(screen.getByTestId('nav-settings'));
  await user.selectOptions(screen.getByTestId('set-text'), '175');
  expect(size()).toBe('175%');
  expect(changes(owner.asked())).toEqual([{ kind: 'change-settings', change: { textPercent: 175 } }]);
  owner.tell({ kind: 'settings', settings: { ...snapshot({}).settings, textPercent: 140 } });
  await waitFor(() => expect(size()).toBe('140%'));
  expect((screen.getByTestId('set-text') as HTMLSelectElement).value, 'one between two steps').toBe('140');
});

/** An owner that answers a change when the test says so, and tells of it later. */
function slow(owner: ScriptedOwner) {
  const open: ((error: UiError | null) => void)[] = [];
  owner.answers['change-settings'] = () =>
    new Promise((resolve, reject) =>
      open.push((error) => (error === null ? resolve({ kind: 'done' }) : reject(error))),
    );
  return async (error: UiError | null = null) => {
    await waitFor(() => expect(open.length).toBeGreaterThan(0));
    open.shift()!(error);
  };
}
const refusal: UiError = { code: 'config-io', message: 'The disk is full.', hint: 'Make room.' };

test('two notifications that are switched at once both hold', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  const answer = slow(owner);
  await user.click(screen.getByTestId('nav-settings'));
  await user.click(screen.getByTestId('set-notice-done'));
  await user.click(screen.getByTestId('set-notice-failed'));
  await user.click(screen.getByTestId('set-notice-update'));
  // The owner has told of none yet.
  await answer();
  await answer(refusal);
  await answer();
  const { notices } = snapshot({}).settings;
  const sent = () => changes(owner.asked()).map((asked) => 'change' in asked && asked.change);
  await waitFor(() =>
    expect(sent()).toEqual([
      { notices: { ...notices, done: false } },
      { notices: { ...notices, done: false, failed: false } },
      // The one before it was refused.
      { notices: { ...notices, done: false, update: false } },
    ]),
  );
  const failed = screen.getByTestId('set-notice-failed') as HTMLInputElement;
  await waitFor(() => expect(failed.checked).toBe(notices.failed));
});

test('a number that was typed stands there until it is answered, and goes with the reason', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  const answer = slow(owner);
  await user.click(screen.getByTestId('nav-settings'));
  const linger = screen.getByTestId('set-linger') as HTMLInputElement;
  const before = linger.value;
  const type = async (text: string) => {
    await user.clear(linger);
    await user.type(linger, text);
    await user.tab();
  };
  await type('77');
  expect(linger.value).toBe('77');
  expect(linger.getAttribute('aria-busy')).toBe('true');
  expect(screen.getByTestId('set-linger-waits')).toBeTruthy();
  await answer(refusal);
  const error = await screen.findByTestId('set-linger-error');
  expect(error.textContent).toBe('The disk is full. Make room.');
  expect(linger.value).toBe(before);
  expect(linger.getAttribute('aria-busy')).toBe('false');

  const seen: string[] = [];
  const watch = setInterval(() => seen.push(linger.value), 1);
  await type('78');
  seen.length = 0;
  await answer();
  await waitFor(() => expect(screen.queryByTestId('set-linger-waits')).toBeNull());
  owner.tell({ kind: 'settings', settings: { ...snapshot({}).settings, lingerSeconds: 78 } });
  await new Promise((done) => setTimeout(done, 700));
  clearInterval(watch);
  expect([...new Set(seen)], 'nothing flickers').toEqual(['78']);
  expect(screen.queryByTestId('set-linger-error')).toBeNull();
});

const updates = snapshot({}).updates;
const release = { version: '0.2.0', url: 'https://example.org/0.2.0', notes: 'Faster.\nSafer.' };

test('nobody is asked for newer versions until there is an address, and a person says so', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  await user.click(screen.getByTestId('nav-settings'));
  expect((screen.getByTestId('set-update-check') as HTMLSelectElement).value).toBe('off');
  expect(screen.getByTestId('check-updates').hasAttribute('disabled')).toBe(true);
  expect(screen.getByTestId('updates').textContent).toContain('This is Dockline 0.1.0.');
  expect(owner.asked()).toEqual([]);
  await user.type(screen.getByTestId('set-update-url'), 'https://example.org/dockline.json');
  await user.click(screen.getByTestId('check-updates'));
  await waitFor(() =>
    expect(owner.asked()).toEqual([
      { kind: 'change-settings', change: { updateUrl: 'https://example.org/dockline.json' } },
      { kind: 'check-updates' },
    ]),
  );
});

test('an address that is not taken says why, and is not asked', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  owner.refuse('change-settings', {
    code: 'invalid-argument',
    message: '“http://e.org/” must begin with https://; plain http is for this machine alone.',
  });
  await user.click(screen.getByTestId('nav-settings'));
  await user.type(screen.getByTestId('set-update-url'), 'http://e.org/');
  await user.click(screen.getByTestId('check-updates'));
  const shown = await screen.findByTestId('set-update-url-error');
  expect(shown.textContent).toContain('must begin with https://');
  expect(owner.asked().some(({ kind }) => kind === 'check-updates')).toBe(false);
});

test('a newer version is told with its notes, and its page is opened by the shell', async () => {
  const settings = { ...snapshot({}).settings, updateUrl: 'https://example.org/' };
  const { owner, screen, user } = await open(snapshot({ settings }));
  await user.click(screen.getByTestId('nav-settings'));
  const last = { at: Date.now() - 3 * 86_400_000, newest: '0.2.0', release, isNews: true };
  owner.tell({ kind: 'updates', updates: { ...updates, last } });
  const page = await screen.findByTestId('open-release');
  expect(screen.getByTestId('updates').textContent).toContain('Dockline 0.2.0 is available; this is 0.1.0.');
  expect(screen.getByTestId('updates').textContent).toContain('3 days ago');
  expect(screen.getByTestId('update-notes').textContent).toBe('Faster.\nSafer.');
  await user.click(page);
  expect(owner.opened).toBe(1);
  // What was known stays while there is no network.
  const failure = {
    at: Date.now(),
    error: {
      code: 'update-unreachable',
      message: 'example.org does not answer when it is asked for newer versions.',
    },
  } as const;
  owner.tell({ kind: 'updates', updates: { ...updates, last, failure } });
  expect((await screen.findByTestId('update-failure')).textContent).toContain('example.org does not answer');
  expect(screen.getByTestId('updates').textContent).toContain('0.2.0');
  owner.tell({ kind: 'updates', updates: { ...updates, last: { ...last, newest: '0.1.0', release: null } } });
  await waitFor(() =>
    expect(screen.getByTestId('updates').textContent).toContain('This is the newest version, 0.1.0.'),
  );
  expect(screen.queryByTestId('open-release')).toBeNull();
});

const error = { code: 'engine-unavailable', message: 'Docker is not running.' } as const;
test.each<[string, Snapshot['engine']]>([
  ['does not answer', { state: { kind: 'unavailable', error }, images: [] }],
  ['has no images', { state: { kind: 'ready', name: 'Docker' }, images: [] }],
])('where the engine %s, another can be chosen', async (_, engine) => {
  const { owner, screen, user } = await open(
    snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })], engine }),
  );
  owner.answers['list-contexts'] = () => ({
    kind: 'contexts',
    contexts: ['default', 'rootless'].map((name) => ({
      name,
      address: `unix:///${name}.sock`,
      inUse: false,
    })),
  });
  await user.click(screen.getByTestId('nav-images'));
  await user.selectOptions(await screen.findByTestId('images-engine'), 'rootless');
  expect(changes(owner.asked())).toEqual([
    { kind: 'change-settings', change: { context: { kind: 'named', name: 'rootless' } } },
  ]);
});
