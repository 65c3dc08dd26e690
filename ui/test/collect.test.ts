// Collecting a registry's garbage: what would go is shown first, and nothing goes without a yes.

import { waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import type { CollectPlan } from '../src/generated/CollectPlan';
import type { Reply } from '../src/generated/Reply';
import { registry, snapshot } from '../src/mock/words';
import { open } from './owner';

const plan = (more: Partial<CollectPlan> = {}): CollectPlan => ({
  registry: 'cr.boss.org',
  ssh: { host: '88.88.88.88', user: 'root' },
  run: { kind: 'container', engine: 'docker', id: 'abc', name: 'registry', image: 'registry:2' },
  version: '2.8.2',
  configuration: '/etc/docker/registry/config.yml',
  untagged: false,
  blobs: 3,
  manifests: 1,
  bytes: 41_000_000,
  notes: ['Nobody may push meanwhile.'],
  ...more,
});

async function opened() {
  const state = snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })] });
  const window = await open(state);
  window.owner.answers['plan-collect'] = (command) => ({
    kind: 'collect-plan',
    plan: plan({ untagged: command.kind === 'plan-collect' && command.untagged === true }),
  });
  window.store.dialog = { kind: 'collect', registry: 'cr.boss.org' };
  await window.screen.findByTestId('collect-plan');
  return window;
}

test('the plan is shown, agreed to, and what was freed is said', async () => {
  const { owner, screen, user } = await opened();
  const shown = screen.getByTestId('collect-plan').textContent;
  for (const part of [
    'container registry (docker)',
    '3 layers and other parts of images and 1 image without a tag',
    '41.0\u00a0MB',
    'Nobody may push',
  ])
    expect(shown).toContain(part);
  let finish = (_: Reply) => {};
  owner.answers['collect'] = () => new Promise((done) => (finish = done));
  await user.click(screen.getByTestId('collect-submit'));
  expect(owner.asked().at(-1)).toEqual({ kind: 'collect', plan: plan() });
  await user.keyboard('{Escape}');
  expect(
    screen.queryByTestId('collect-dialog'),
    'what is under way cannot be walked away from',
  ).not.toBeNull();
  finish({ kind: 'collected', collected: { blobs: 3, manifests: 1, bytes: 41_000_000, stoppedSeconds: 4 } });
  expect((await screen.findByTestId('collect-done')).textContent).toContain('41.0\u00a0MB is free again');
  await user.click(screen.getByTestId('collect-cancel'));
  await waitFor(() => expect(screen.queryByTestId('collect-dialog')).toBeNull());
});

test('untagged images, and another login, are planned anew', async () => {
  const { owner, screen, user } = await opened();
  await user.click(screen.getByTestId('collect-untagged'));
  await waitFor(() => expect(owner.asked().at(-1)).toMatchObject({ kind: 'plan-collect', untagged: true }));
  await user.type(screen.getByTestId('collect-login'), 'root@88.88.88.88{Tab}');
  await waitFor(() =>
    expect(owner.asked().at(-1)).toMatchObject({
      ssh: { host: '88.88.88.88', user: 'root' },
      untagged: true,
    }),
  );
});

test('nothing to remove is said, and nothing is offered; a refusal keeps the dialog', async () => {
  const { owner, screen, user } = await opened();
  owner.answers['plan-collect'] = () => ({
    kind: 'collect-plan',
    plan: plan({ blobs: 0, manifests: 0, bytes: 0 }),
  });
  await user.click(screen.getByTestId('collect-untagged'));
  await screen.findByTestId('collect-nothing');
  expect(screen.queryByTestId('collect-submit')).toBeNull();
  owner.refuse('plan-collect', { code: 'forward-forbidden', message: 'No programs there.' });
  await user.click(screen.getByTestId('collect-untagged'));
  expect((await screen.findByTestId('collect-error')).dataset['code']).toBe('forward-forbidden');
  expect(screen.getByTestId('collect-submit').textContent).toBe('See what would be removed');
});

test('the palette has it, for registries that have a host', async () => {
  const direct = registry('direct.example', { kind: 'idle' });
  direct.spec.url = 'https://direct.example';
  const { owner, screen, user } = await open(
    snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' }), direct] }),
  );
  owner.answers['plan-collect'] = () => ({ kind: 'collect-plan', plan: plan() });
  await user.keyboard('{Control>}k{/Control}garbage');
  expect(screen.getAllByRole('option').map(({ textContent }) => textContent.trim())).toEqual([
    'cr.boss.org: Collect garbage…',
  ]);
  await user.keyboard('{Enter}');
  expect((await screen.findByTestId('collect-dialog')).textContent).toContain('cr.boss.org');
});
