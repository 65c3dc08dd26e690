// The size of the text, the engine's choice where there is nothing to see, and newer versions.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import type { Snapshot } from '../src/generated/Snapshot';
import type { UiError } from '../src/generated/UiError';
import { registry, snapshot } from '../src/mock/words';
import { saidError } from '../src/sentences/sentences';
import { language } from '../src/state/language.svelte';
import { text } from '../src/state/text.svelte';
import { open, type ScriptedOwner } from './owner';

afterEach(() => {
  language.choose('system');
  text.choose(100);
});

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
const refusal: UiError = {
  code: 'config-io',
  message: 'The disk is full.',
  hint: 'Make room.',
  details: 'ENOSPC',
};

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
  expect(screen.getByTestId('settings-error').textContent, 'not ended by the next one’s turn').toContain(
    'The disk is full.',
  );
  await user.click(screen.getByTestId('set-notice-failed'));
  expect(screen.queryByTestId('settings-error'), 'but by the next click').toBeNull();
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
  expect((await screen.findByTestId('set-linger-waits')).textContent).toBe('Being set…');
  await waitFor(() => expect(owner.announced.join(' ')).toContain('Close after the last use. Being set…'));
  await answer(refusal);
  const error = await screen.findByTestId('set-linger-error');
  expect([...error.querySelectorAll('p')].map((p) => p.textContent)).toEqual([
    'The disk is full.',
    'Make room.',
  ]);
  expect(error.querySelector('pre')?.textContent).toBe('ENOSPC');
  await waitFor(() => expect(owner.announced.join(' ')).toContain('The disk is full. Make room.'));
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

test('what is wrong with a number is said in the language of the window, also after that has changed', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  const words = { code: 'config-io', message: 'Nobody has put this into Dutch.' } as const;
  owner.refuse('change-settings', words);
  await user.click(screen.getByTestId('nav-settings'));
  const type = async (testid: string, text: string) => {
    await user.clear(screen.getByTestId(testid));
    await user.type(screen.getByTestId(testid), text);
    await user.tab();
  };
  await type('set-parallel', '9');
  await type('set-linger', '77');
  const error = (testid: string) => screen.getByTestId(`${testid}-error`);
  await waitFor(() => expect(error('set-linger').textContent).toContain(words.message));
  expect(error('set-parallel').textContent).toContain('A whole number from 1 to 8.');
  const linger = screen.getByTestId('set-linger');
  expect(linger.getAttribute('aria-invalid')).toBe('true');
  const described = linger.getAttribute('aria-describedby')!.split(' ');
  const help = described.flatMap((id) => document.getElementById(id) ?? []);
  expect(help.some((element) => element.contains(error('set-linger')))).toBe(true);

  language.choose('nl');
  await waitFor(() => expect(error('set-parallel').textContent).toContain('Een heel getal van 1 tot 8.'));
  // What its code means stands before it, and whose words it is in.
  const [lead, message] = error('set-linger').querySelectorAll('p');
  expect(lead?.textContent).toBe(saidError(words).lead);
  expect(lead?.textContent).not.toBe('');
  expect(message?.querySelector('[lang=en]')?.textContent).toBe(words.message);
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

test('an address that is being typed stays while another setting changes', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  await user.click(screen.getByTestId('nav-settings'));
  await user.type(screen.getByTestId('set-update-url'), 'https://example');
  owner.tell({ kind: 'settings', settings: { ...snapshot({}).settings, lingerSeconds: 42 } });
  await waitFor(() => expect((screen.getByTestId('set-linger') as HTMLInputElement).value).toBe('42'));
  expect((screen.getByTestId('set-update-url') as HTMLInputElement).value).toBe('https://example');
  owner.tell({
    kind: 'settings',
    settings: { ...snapshot({}).settings, updateUrl: 'https://other.example/' },
  });
  await waitFor(() =>
    expect((screen.getByTestId('set-update-url') as HTMLInputElement).value).toBe('https://other.example/'),
  );
});
