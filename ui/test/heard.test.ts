// What is told of each thing that a person does: found silent, or said twice, by going through the window with Orca.

import { waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import type { Contents } from '../src/generated/Contents';
import type { DoctorReport } from '../src/generated/DoctorReport';
import { spokenLink } from '../src/state/doctor';
import { setupPlan } from '../src/mock/setup';
import { image, registry, snapshot, transfer } from '../src/mock/words';
import { open } from './owner';

const engine = {
  state: { kind: 'ready', name: 'Docker 20.10.24' } as const,
  images: [image(1, ['web-shop:v1'], 5_000_000, 0), image(2, ['big-app:latest'], 60_000_000, 0)],
};
const one = () => snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })], engine });

test('nothing around the focus keeps a reader from the title of the dialog', async () => {
  const { screen, user } = await open(one());
  await user.click(screen.getByTestId('add-registry'));
  // Orca goes up to the first form, and no further.
  expect(screen.getByTestId('add-dialog').querySelector('form')?.getAttribute('role')).toBe('none');
});

test('what is chosen in the palette is said by the shell, or marked for readers that go by the mark', async () => {
  const { owner, screen, store, user } = await open(one());
  const field = () => screen.getByTestId('palette-input');
  await user.keyboard('{Control>}k{/Control}{ArrowDown}');
  expect(field().getAttribute('aria-activedescendant')).not.toBeNull();
  await user.keyboard('{Escape}');

  // With the mark, Orca takes the letters that are typed next for commands of its own.
  store.heard = true;
  owner.announce = async (text: string) => owner.announced.push(text) > 0;
  await user.keyboard('{Control>}k{/Control}{ArrowDown}');
  expect(field().getAttribute('aria-activedescendant')).toBeNull();
  expect(screen.getByTestId('palette').querySelector('[aria-selected]')).toBeNull();
  await waitFor(() => expect(owner.announced.at(-1)).toContain('Go to Images, Ctrl+2'));
  await user.keyboard('big');
  await waitFor(() => expect(owner.announced.at(-1)).toContain('2 entries. Push big-app:latest'));
});

test('a search says how much it found, and its field is called what it is', async () => {
  const { owner, screen, user } = await open(one());
  await user.click(screen.getByTestId('nav-images'));
  const field = screen.getByTestId('image-search');
  // Text around the field would be in its name, with what is typed.
  expect(field.closest('label')).toBeNull();
  expect(field.getAttribute('aria-label')).toBe('Search images');
  await user.type(field, 'shop');
  await waitFor(() => expect(owner.announced.at(-1)).toContain('1 image'));
  await user.type(field, 'zz');
  await waitFor(() => expect(owner.announced.at(-1)).toContain('Nothing matches “shopzz”'));
});

test('a mistake in the configuration is said, and not only shown', async () => {
  const state = one();
  state.configError = { code: 'config-invalid', message: 'line 6: “colour” is not a setting.', hint: null };
  const { owner } = await open(state);
  await waitFor(() => expect(owner.announced.join(' ')).toContain('line 6: “colour” is not a setting.'));
});

test('what is in a registry is counted aloud, and why it cannot be seen is said', async () => {
  const { owner, screen, store, user } = await open(one());
  owner.answers['look'] = () => ({
    kind: 'contents',
    contents: { kind: 'repositories', page: { names: ['a/app', 'b/app'], next: null } } satisfies Contents,
  });
  await user.click(screen.getByTestId('look-inside'));
  await waitFor(() => expect(owner.announced.join(' ')).toContain('2 repositories'));
  store.go('registries');
  owner.refuse('look', { code: 'registry-unreachable', message: 'The registry does not answer.' });
  await user.click(await screen.findByTestId('look-inside'));
  await waitFor(() => expect(owner.announced.at(-1)).toContain('The registry does not answer.'));
});

test('what was set up for a registry is said once it was found, with the box that keeps it', async () => {
  const { owner, screen, user } = await open(one());
  owner.answers['plan-setup'] = () => ({ kind: 'setup-plan', plan: setupPlan('needed', 'undo') });
  await user.click(screen.getByTestId('remove'));
  await waitFor(() => expect(owner.announced.at(-1)).toContain('Take back what was set up for it'));
});

test('one reason for two failures is said once', async () => {
  const { owner } = await open(one());
  const error = { code: 'ssh-auth', message: 'No key was accepted.', hint: null } as const;
  owner.tell({ kind: 'registry', registry: registry('cr.boss.org', { kind: 'failed', error }) });
  owner.tell({ kind: 'transfer', transfer: transfer(1, { state: { kind: 'failed', error } }) });
  await waitFor(() => expect(owner.announced.join(' ')).toContain('failed: No key was accepted.'));
  expect(owner.announced.join(' ').match(/No key was accepted/g)).toHaveLength(1);
});

test('what is folded away tells that it is, and what an image becomes is read with its name', async () => {
  const { screen, user } = await open(one());
  await user.click(screen.getByTestId('nav-images'));
  await user.click(screen.getAllByTestId('push')[0]!);
  const more = screen.getByTestId('push-more');
  expect(more.getAttribute('aria-expanded')).toBe('false');
  expect(screen.queryByRole('combobox')).toBeNull();
  await user.click(more);
  expect(more.getAttribute('aria-expanded')).toBe('true');
  expect(screen.getAllByRole('combobox').length).toBeGreaterThan(0);
  const read = screen.getByTestId('push-reference').getAttribute('aria-describedby') ?? '';
  expect(document.getElementById(read)?.textContent).toMatch(/Becomes\s+cr\.boss\.org:5000\//);
});

test('a registry and a transfer are called by their state as well', async () => {
  const { screen, user } = await open({ ...one(), transfers: [transfer(1, { source: 'app:v1' })] });
  expect(screen.getByRole('article', { name: 'cr.boss.org:5000 Ready' })).toBeTruthy();
  await user.click(screen.getByTestId('nav-transfers'));
  expect(screen.getByRole('article', { name: 'Push app:v1, Running' })).toBeTruthy();
});

test('the doctor says what broke, and not only where', () => {
  const error = { code: 'forward-refused', message: 'Nothing listens there.', hint: 'Start the registry.' };
  const failed = { kind: 'failed', error, remedy: { kind: 'person', words: 'Start the registry.' } };
  const report = { summary: 'The way breaks here.', links: [{ link: 'registry', state: failed }] };
  expect(spokenLink(report as unknown as DoctorReport)).toBe(
    'The way breaks here. Nothing listens there. Start the registry.',
  );
});

test('Escape puts a remark away, wherever the focus is', async () => {
  const { screen, store, user } = await open(one());
  store.say('cr.boss.org is removed.');
  expect(await screen.findByTestId('notice')).toBeTruthy();
  await user.keyboard('{Escape}');
  await waitFor(() => expect(screen.queryByTestId('notice')).toBeNull());
});
