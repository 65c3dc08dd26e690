// In Dutch nothing is left in English, wherever one looks: what has no Dutch is marked as English in the page.

import { waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failing } from '../src/mock/failing';
import { full } from '../src/mock/full';
import { Owner } from '../src/mock/owner';
import { snapshot } from '../src/mock/words';
import type { OpenDialog } from '../src/state/dialog';
import { language } from '../src/state/language.svelte';
import { VIEWS } from '../src/state/views';
import { show } from './owner';

beforeEach(() => localStorage.clear());
afterEach(() => language.choose('system'));

const open = (state = full(), broken = false) =>
  show(
    new Owner(
      { ...state, settings: { ...state.settings, language: 'nl' } },
      { moving: false, storm: false, many: false, broken, setup: 'needed', sample: null },
    ),
  );
const english = () => [...document.querySelectorAll('[lang="en"]')].map((part) => part.textContent);

test.each(['full', 'failing', 'empty'] as const)('the views, %s', async (name) => {
  const { store, screen } = await open({ full, failing, empty: () => snapshot({}) }[name]());
  expect(document.documentElement.lang).toBe('nl');
  for (const view of VIEWS) {
    store.go(view);
    await waitFor(() => expect(screen.getByTestId(`view-${view}`)).toBeTruthy());
    expect(english(), view).toEqual([]);
  }
});

test('an examination, to its last link', async () => {
  const { store, screen } = await open(full(), true);
  store.check('cr.boss.org');
  await screen.findByTestId('doctor-remedy');
  await waitFor(() => expect(screen.getByTestId('doctor-summary').dataset['state']).toBe('failed'));
  expect(english()).toEqual([]);
});

test('what is in a registry, and what would be deleted', async () => {
  const { store, screen, user } = await open();
  store.lookInside('cr.boss.org');
  await user.click((await screen.findAllByTestId('repository-row'))[2]!);
  await user.click((await screen.findAllByTestId('tag-row'))[0]!);
  await user.click(await screen.findByTestId('delete-image'));
  await screen.findByTestId('delete-account');
  expect(english()).toEqual([]);
});

test('an engine without a name, and what was done', async () => {
  const { store, screen, user } = await show(
    new Owner(
      { ...full(), settings: { ...full().settings, language: 'nl' } },
      { moving: false, storm: false, many: false, broken: false, setup: 'refused', sample: null },
    ),
  );
  store.dialog = { kind: 'setup', action: 'apply', registry: 'cr.boss.org' };
  const found = await screen.findByTestId('setup-engine');
  expect(found.textContent).toContain('de engine op ssh://build@10.0.0.7');
  store.close();

  const done = await open();
  done.store.dialog = { kind: 'setup', action: 'apply', registry: 'cr.boss.org' };
  await user.click((await done.screen.findAllByTestId('setup-apply'))[0]!);
  await done.screen.findByTestId('setup-done', {}, { timeout: 5_000 });
  expect(english()).toEqual([]);
});

const DIALOGS: [OpenDialog, string][] = [
  [{ kind: 'setup', action: 'apply', registry: 'cr.boss.org' }, 'setup-change'],
  [{ kind: 'remove', registry: 'cr.boss.org' }, 'remove-settings'],
  [{ kind: 'collect', registry: 'cr.boss.org' }, 'collect-plan'],
];
test.each(DIALOGS)('the dialog %o', async (dialog, part) => {
  const { store, screen } = await open();
  store.dialog = dialog;
  await screen.findAllByTestId(part);
  expect(english()).toEqual([]);
});
