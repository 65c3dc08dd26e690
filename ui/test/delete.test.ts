// Deleting an image of a registry: asked for, gone on from, and asked for again.

import { fireEvent, waitFor } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import type { Command } from '../src/generated/Command';
import type { Contents as Seen } from '../src/generated/Contents';
import type { Reply } from '../src/generated/Reply';
import { contents } from '../src/mock/contents';
import { NOW, registry, snapshot } from '../src/mock/words';
import { open } from './owner';

const names = (kind: 'repositories' | 'tags', ...names: string[]): Seen => ({
  kind,
  page: { names, next: null },
});

function look(command: Command): Reply {
  const { look } = command as Extract<Command, { kind: 'look' }>;
  if (look.kind === 'repositories') return { kind: 'contents', contents: names('repositories', 'app') };
  if (look.kind === 'tags') return { kind: 'contents', contents: names('tags', 'v1', 'v2') };
  return { kind: 'contents', contents: contents(look, false) };
}

/** At the question whether app:v1 is to be deleted. */
async function asked() {
  const window = await open(snapshot({ registries: [registry('cr.boss.org', { kind: 'up', since: NOW })] }));
  const { owner, screen, store, user } = window;
  owner.answers['look'] = look;
  store.lookInside('cr.boss.org');
  await user.click(await screen.findByTestId('repository-row'));
  await user.click((await screen.findAllByTestId('tag-row'))[0]!);
  await user.click(await screen.findByTestId('delete-image'));
  await screen.findByTestId('delete-dialog');
  const looks = (kind: string) =>
    owner.asked().filter((command) => command.kind === 'look' && command.look.kind === kind).length;
  return { ...window, looks };
}

/** Presses Delete and Escape while it works; returns how it ends. */
async function left({ owner, screen, user }: Awaited<ReturnType<typeof asked>>) {
  await screen.findByTestId('delete-account');
  let end: { done: (reply: Reply) => void; refused: (error: unknown) => void } | undefined;
  owner.answers['delete-image'] = () => new Promise((done, refused) => (end = { done, refused }));
  await user.click(screen.getByTestId('delete-submit'));
  await fireEvent(screen.getByTestId('delete-dialog'), new Event('cancel', { cancelable: true }));
  await waitFor(() => expect(screen.queryByTestId('delete-dialog')).toBeNull());
  return end!;
}

test('ends at the tags, which are asked for anew', async () => {
  const { looks, screen, user } = await asked();
  await screen.findByTestId('delete-account');
  await user.click(screen.getByTestId('delete-submit'));
  await waitFor(() => expect(screen.queryByTestId('delete-dialog')).toBeNull());
  expect(await screen.findAllByTestId('tag-row')).toHaveLength(2);
  expect(looks('tags')).toBe(2);
});

test('that one has gone on from closes nothing else, and goes nowhere', async () => {
  const window = await asked();
  const { looks, owner, screen, store, user } = window;
  const { done } = await left(window);
  await user.click(screen.getByTestId('contents-root'));
  await user.keyboard('{Control>}n{/Control}');
  await screen.findByTestId('add-dialog');
  done({ kind: 'done' });
  await waitFor(() => expect(owner.announced.join(' ')).toContain('is deleted.'));
  expect(screen.getByTestId('add-dialog')).toBeTruthy();
  expect(store.view).toBe('contents');
  expect(screen.getByTestId('contents-path').textContent).not.toContain('app');
  expect(looks('tags')).toBe(1);
});

test('leaves another image alone that one has opened meanwhile', async () => {
  const window = await asked();
  const { owner, screen, user } = window;
  const { done } = await left(window);
  await user.click(screen.getByTestId('contents-repository'));
  await user.click((await screen.findAllByTestId('tag-row'))[1]!);
  done({ kind: 'done' });
  await waitFor(() => expect(owner.announced.join(' ')).toContain('is deleted.'));
  expect(screen.getByTestId('contents-path').textContent).toContain('v2');
});

test('says nothing of a page that one has left', async () => {
  const window = await asked();
  const { owner, screen, store } = window;
  const { done } = await left(window);
  store.go('transfers');
  await screen.findByTestId('view-transfers');
  const tell = vi.spyOn(store, 'tell');
  done({ kind: 'done' });
  await waitFor(() => expect(owner.announced.join(' ')).toContain('is deleted.'));
  expect(store.view).toBe('transfers');
  expect(tell).not.toHaveBeenCalled();
});

test('that was refused is said, wherever one is by then', async () => {
  const window = await asked();
  const { refused } = await left(window);
  window.store.dialog = { kind: 'add' };
  refused({ code: 'registry-denied', message: 'The registry does not let anyone delete.' });
  await waitFor(() => expect(window.screen.getByTestId('notice').textContent).toContain('let anyone delete'));
  expect(window.screen.getByTestId('add-dialog')).toBeTruthy();
});

test('can be planned once more where that failed; the keyboard is at Cancel again', async () => {
  const window = await open(snapshot({ registries: [registry('cr.boss.org', { kind: 'up', since: NOW })] }));
  const { owner, screen, store, user } = window;
  owner.answers['look'] = (command) => {
    const { look: wanted } = command as Extract<Command, { kind: 'look' }>;
    if (wanted.kind === 'plan-delete') throw { code: 'timed-out', message: 'It took too long.' };
    return look(command);
  };
  store.lookInside('cr.boss.org');
  await user.click(await screen.findByTestId('repository-row'));
  await user.click((await screen.findAllByTestId('tag-row'))[0]!);
  await user.click(await screen.findByTestId('delete-image'));
  expect((await screen.findByTestId('delete-error')).dataset['code']).toBe('timed-out');
  expect((screen.getByTestId('delete-submit') as HTMLButtonElement).disabled).toBe(true);
  owner.answers['look'] = look;
  screen.getByTestId('delete-again').focus();
  await user.keyboard('{Enter}');
  await screen.findByTestId('delete-account');
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('delete-cancel')));
  expect(screen.queryByTestId('delete-again')).toBeNull();
  expect((screen.getByTestId('delete-submit') as HTMLButtonElement).disabled).toBe(false);
});
