// The first start, to the first push; and left halfway.

import { cleanup, waitFor } from '@testing-library/svelte';
import { beforeEach, expect, test } from 'vitest';
import { PROPOSALS, report } from '../src/mock/doctor';
import { image, registry, snapshot } from '../src/mock/words';
import { ScriptedOwner, open, show } from './owner';

beforeEach(() => localStorage.clear());

const images = {
  state: { kind: 'ready', name: 'Docker' },
  images: [image(1, ['app:v1'], 1_000, 0)],
} as const;
const empty = () => snapshot({ engine: { ...images, images: [...images.images] } });
const added = () => ({ ...empty(), registries: [registry('cr.boss.org', { kind: 'idle' })] });

const value = (element: HTMLElement) => (element as HTMLInputElement).value;

function scripted(owner: ScriptedOwner) {
  owner.answers['find-proposals'] = () => ({ kind: 'proposals', proposals: PROPOSALS });
  owner.answers['doctor'] = () => ({ kind: 'doctor', id: 7 });
}

test('goes from what this machine knows over each link to a first push', async () => {
  const owner = new ScriptedOwner(empty());
  scripted(owner);
  const { screen, user } = await show(owner);
  await user.click((await screen.findAllByTestId('proposal'))[0]!);
  expect(value(screen.getByTestId('welcome-ssh'))).toBe('dockercr@boss');
  await user.click(screen.getByTestId('welcome-test'));
  await waitFor(() => expect(screen.getByTestId('welcome').dataset['step']).toBe('test'));

  const links = () => screen.getAllByTestId('doctor-link').map((link) => link.dataset['state']);
  const tell = (through: number) =>
    owner.tell({
      kind: 'doctor',
      report: { ...report(7, 'cr.boss.org', through, false), isCandidate: true },
    });
  tell(3);
  await waitFor(() =>
    expect(links().slice(0, 5)).toEqual(['passed', 'passed', 'passed', 'running', 'waiting']),
  );
  tell(99);
  await waitFor(() => expect(new Set(links())).toEqual(new Set(['passed'])));

  await user.click(screen.getByTestId('welcome-add'));
  // Whoever is quick pushes before the owner has told of the new registry.
  await user.click(await screen.findByTestId('welcome-push'));
  // The examination that has ended is put away about then, before or after.
  expect(owner.asked()).toContainEqual({
    kind: 'push',
    image: 'app:v1',
    registry: 'cr.boss.org',
    reference: 'app:v1',
  });
  await waitFor(() => expect(screen.getByTestId('app').dataset['view']).toBe('transfers'));
  owner.tell({ kind: 'registry', registry: registry('cr.boss.org', { kind: 'idle' }) });
  await user.click(screen.getByTestId('nav-registries'));
  expect(screen.queryByTestId('welcome')).toBeNull();
});

test('left while typing, it has every word when the window is opened again', async () => {
  const { screen, user } = await open(empty());
  await user.type(screen.getByTestId('welcome-ssh'), 'me@host');
  await user.type(screen.getByTestId('welcome-name'), 'cr.me.org');
  cleanup();
  const again = await open(empty());
  expect(value(again.screen.getByTestId('welcome-ssh'))).toBe('me@host');
  expect(value(again.screen.getByTestId('welcome-name'))).toBe('cr.me.org');
});

test('left before the first push, that is still there; not once it was done, or the registry is gone', async () => {
  const owner = new ScriptedOwner(empty());
  scripted(owner);
  const { screen, user } = await show(owner);
  await user.type(screen.getByTestId('welcome-ssh'), 'me@host');
  await user.type(screen.getByTestId('welcome-name'), 'cr.boss.org');
  await user.click(screen.getByTestId('welcome-test'));
  await user.click(await screen.findByTestId('welcome-add'));
  await waitFor(() => expect(screen.getByTestId('welcome').dataset['step']).toBe('push'));
  cleanup();

  const again = await open(added());
  expect(again.screen.getByTestId('welcome-push').dataset['image']).toBe('app:v1');
  cleanup();

  const gone = await open(empty());
  expect(gone.screen.getByTestId('welcome').dataset['step']).toBe('choose');
  cleanup();

  const done = await open(added());
  expect(done.screen.queryByTestId('welcome')).toBeNull();
});
