// What a machine can tell about reading the window with the ears: every view and dialog, in every state. Contrast needs
// a real page, and is measured there (tests/tests/desktop_pictures.rs, scripts/shots.mjs).

import axe from 'axe-core';
import { tick } from 'svelte';
import { waitFor } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { failing } from '../src/mock/failing';
import { full } from '../src/mock/full';
import { Owner } from '../src/mock/owner';
import { snapshot } from '../src/mock/words';
import type { OpenDialog } from '../src/state/dialog';
import { VIEWS } from '../src/state/views';
import { show } from './owner';

vi.setConfig({ testTimeout: 60_000 });

const owner = (state = full(), broken = false) =>
  new Owner(state, { moving: false, storm: false, many: false, broken, setup: 'needed', sample: null });

/** jsdom works styles out anew for every question, so this is slow: only what was opened last is looked at. */
async function expectSound() {
  const part = document.querySelector('dialog') ?? document.body;
  const { violations } = await axe.run(part, {
    // jsdom lays nothing out, so there is no colour to measure; the page's own frame is index.html's.
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
    resultTypes: ['violations'],
  });
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`),
  ).toEqual([]);
}

describe.each([
  ['full', full],
  ['empty', () => snapshot({})],
] as const)('%s', (_, state) => {
  test.each(VIEWS)('%s', async (view) => {
    const { store, screen } = await show(owner(state()));
    store.go(view);
    await waitFor(() => expect(screen.getByTestId(`view-${view}`)).toBeTruthy());
    await expectSound();
  });
});

test('everything that went wrong', async () => {
  const { store } = await show(owner(failing()));
  await expectSound();
  store.go('transfers');
  await tick();
  await expectSound();
});

test('what is in a registry, down to one image', async () => {
  const { store, screen, user } = await show(owner());
  store.lookInside('cr.boss.org');
  await user.click((await screen.findAllByTestId('repository-row'))[2]!);
  await user.click((await screen.findAllByTestId('tag-row'))[0]!);
  await screen.findAllByTestId('blob-row');
  await expectSound();
  await user.click(screen.getByTestId('delete-image'));
  await screen.findByTestId('delete-account');
  await expectSound();
});

test('an examination that finds something', async () => {
  const { store, screen } = await show(owner(full(), true));
  store.check('cr.boss.org');
  await screen.findByTestId('doctor-remedy', {}, { timeout: 5_000 });
  await expectSound();
});

const DIALOGS: OpenDialog[] = [
  { kind: 'add' },
  { kind: 'login', registry: 'cr.boss.org' },
  { kind: 'team' },
  { kind: 'palette' },
  { kind: 'shortcuts' },
  { kind: 'collect', registry: 'cr.boss.org' },
  { kind: 'offer' },
  { kind: 'remove', registry: 'cr.boss.org' },
  { kind: 'disconnect', registry: 'cr.boss.org' },
  { kind: 'setup', action: 'apply', registry: 'cr.boss.org' },
  { kind: 'edit', registry: 'cr.boss.org' },
  { kind: 'push', image: 'shop/api:2.4.1' },
  { kind: 'ship', image: 'shop/api:2.4.1' },
  { kind: 'copy', from: 'cr.boss.org:5000/shop/api:2.4.1' },
  { kind: 'pull', toFile: true },
  { kind: 'archive', paths: [] },
];
test.each(DIALOGS)('the dialog $kind', async (dialog) => {
  const { store } = await show(owner());
  store.dialog = dialog;
  await waitFor(() => expect(document.querySelector('dialog')).toBeTruthy());
  await expectSound();
});

test('the menu of a registry', async () => {
  const { screen, user } = await show(owner());
  await user.click(screen.getAllByTestId('more')[0]!);
  expect(screen.getAllByRole('menuitem')).toHaveLength(5);
  expect(document.activeElement).toBe(screen.getByTestId('edit'));
  await expectSound();
  await user.keyboard('{ArrowDown}');
  expect(document.activeElement).toBe(screen.getByTestId('duplicate'));
  await user.keyboard('{Escape}');
  expect(document.activeElement).toBe(screen.getAllByTestId('more')[0]);
  await user.keyboard('{ArrowDown}{Enter}');
  expect((screen.getByTestId('add-name') as HTMLInputElement).value).toBe('cr.boss.org');
  await expectSound();
});
