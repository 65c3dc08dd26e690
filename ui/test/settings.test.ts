// The size of the text, the engine's choice where there is nothing to see, and what is said about updates.

import { waitFor } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import type { Snapshot } from '../src/generated/Snapshot';
import { registry, snapshot } from '../src/mock/words';
import { text } from '../src/state/text.svelte';
import { open } from './owner';

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

test('about updates nothing is offered that does nothing', async () => {
  const { screen, user } = await open(snapshot({}));
  await user.click(screen.getByTestId('nav-settings'));
  const section = screen.getByTestId('updates').closest('section')!;
  expect(section.querySelectorAll('input, button, select').length).toBe(0);
  expect(section.textContent).toContain('does not look for newer versions');
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
