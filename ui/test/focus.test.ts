// Where the keyboard is when what had it goes: a second press of the same key then does nothing that nobody asked for.

import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { full } from '../src/mock/full';
import { Owner } from '../src/mock/owner';
import type { Reply } from '../src/generated/Reply';
import type { TransferView } from '../src/generated/TransferView';
import { DIGEST, NOW, registry, snapshot, transfer } from '../src/mock/words';
import { open, show } from './owner';

const error = { code: 'ssh-lost', message: 'Lost.' } as const;
const failed = (id: number, more: Partial<TransferView> = {}) =>
  transfer(id, { state: { kind: 'failed', error }, finished: NOW, ...more });
const one = (...transfers: TransferView[]) =>
  snapshot({ registries: [registry('cr.boss.org', { kind: 'up', since: NOW })], transfers });
const focused = () => (document.activeElement as HTMLElement | null)?.dataset ?? {};

async function onTransfers(...transfers: TransferView[]) {
  const window = await open(one(...transfers));
  await window.user.click(window.screen.getByTestId('nav-transfers'));
  const row = (id: number) =>
    within(window.screen.getAllByTestId('transfer-row').find((row) => row.dataset['transfer'] === `${id}`)!);
  return { ...window, row };
}

test('who tries again is at the new row, and at no button', async () => {
  const other = transfer(3, { reference: 'cr.boss.org:5000/web:v1', road: 'direct' });
  const { owner, row, user } = await onTransfers(other, failed(4, { source: 'team/“app”:v1' }));
  let answer = (_: Reply) => {};
  owner.answers['retry'] = () => new Promise((done) => (answer = done));
  row(4).getByTestId('retry').focus();
  // A key that is held down.
  await user.keyboard('{Enter>3/}');
  expect(owner.asked()).toEqual([{ kind: 'retry', transfer: 4 }]);
  owner.tell({
    kind: 'transfer',
    transfer: transfer(9, { source: 'team/“app”:v1', state: { kind: 'waiting' } }),
  });
  owner.tell({ kind: 'transfer-gone', id: 4 });
  answer({ kind: 'transfer', id: 9 });
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'transfer-row', transfer: '9' }));
  await user.keyboard('{Enter}');
  expect(owner.asked()).toHaveLength(1);
});

test('the new row has it, too, if the old one goes later', async () => {
  const { owner, row, screen, user } = await onTransfers(failed(4));
  row(4).getByTestId('retry').focus();
  await user.keyboard('{Enter}');
  owner.tell({ kind: 'transfer', transfer: transfer(9, {}) });
  await waitFor(() => expect(screen.getAllByTestId('transfer-row')).toHaveLength(2));
  await user.keyboard('{Enter}');
  owner.tell({ kind: 'transfer-gone', id: 4 });
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'transfer-row', transfer: '9' }));
  expect(owner.asked()).toHaveLength(1);
});

test('what cannot be tried again can be asked for once more', async () => {
  const { owner, row, user } = await onTransfers(failed(4));
  owner.refuse('retry', { code: 'registry-unknown', message: 'It is gone.' });
  await user.click(row(4).getByTestId('retry'));
  await user.click(row(4).getByTestId('retry'));
  expect(owner.asked()).toHaveLength(2);
});

test('the mock has the new row before the old one is gone, as the owner does', async () => {
  const state = full();
  state.transfers = [failed(4, { host: { host: 'b.example' } })];
  const mock = new Owner(state, {
    moving: false,
    storm: false,
    many: false,
    broken: false,
    setup: 'needed',
    sample: null,
  });
  const { store, screen, user } = await show(mock);
  store.go('transfers');
  (await screen.findByTestId('retry')).focus();
  await user.keyboard('{Enter}');
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'transfer-row', transfer: '100' }));
});

test('who cancels is at the row that was cancelled', async () => {
  const moving = transfer(4, { road: 'direct' });
  const { owner, row, user } = await onTransfers(failed(3, { source: 'web:v1' }), moving);
  row(4).getByTestId('cancel').focus();
  await user.keyboard('{Enter}');
  owner.tell({ kind: 'transfer', transfer: { ...moving, state: { kind: 'cancelled' }, finished: NOW } });
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'transfer-row', transfer: '4' }));
  await user.keyboard('{Enter}');
  expect(owner.asked()).toEqual([{ kind: 'cancel', transfer: 4 }]);
});

test('pause and resume take turns; where there is nothing to pause any more, the row has it', async () => {
  const moving = transfer(4, { road: 'direct' });
  const { owner, row } = await onTransfers(moving);
  const state = (kind: 'paused' | 'waiting' | 'verifying') =>
    owner.tell({ kind: 'transfer', transfer: { ...moving, state: { kind } } });
  row(4).getByTestId('pause').focus();
  state('paused');
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'resume' }));
  state('waiting');
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'pause' }));
  state('verifying');
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'transfer-row', transfer: '4' }));
});

test('what is for all of them leaves the keyboard with itself, or at the page', async () => {
  const verified = { digest: DIGEST, atRegistry: true };
  const done = (id: number) => transfer(id, { state: { kind: 'done', verified }, finished: NOW });
  const moving = transfer(5, { road: 'direct' });
  const { owner, screen } = await onTransfers(done(1), done(2), failed(3), failed(4), moving);
  screen.getByTestId('pause-all').focus();
  owner.tell({ kind: 'paused', paused: true });
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'resume-all' }));
  owner.tell({ kind: 'paused', paused: false });
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'pause-all' }));
  // Where nothing is left to pause it stays in its place, and does nothing.
  owner.tell({ kind: 'transfer', transfer: { ...moving, state: { kind: 'done', verified } } });
  const pauseAll = screen.getByTestId('pause-all');
  await waitFor(() => expect(pauseAll.getAttribute('aria-disabled')).toBe('true'));
  expect(focused()).toMatchObject({ testid: 'pause-all' });
  const before = owner.asked().length;
  pauseAll.click();
  expect(owner.asked()).toHaveLength(before);

  screen.getByTestId('retry-all').focus();
  for (const id of [3, 4]) owner.tell({ kind: 'transfer-gone', id });
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'view-transfers' }));

  screen.getByTestId('clear-finished').focus();
  for (const id of [1, 2]) owner.tell({ kind: 'transfer-gone', id });
  await waitFor(() => expect(screen.queryByTestId('clear-finished')).toBeNull());
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'view-transfers' }));
});

test('a dialog whose opener is gone leaves the keyboard at the page', async () => {
  const { owner, screen, user } = await open(
    snapshot({
      registries: [registry('a.example', { kind: 'idle' }), registry('b.example', { kind: 'idle' })],
    }),
  );
  screen.getAllByTestId('connect')[0]!.focus();
  await user.keyboard('{F2}');
  await screen.findByTestId('add-dialog');
  owner.tell({ kind: 'registry-gone', name: 'a.example' });
  await waitFor(() => expect(screen.getAllByTestId('registry-card')).toHaveLength(1));
  await user.click(screen.getByTestId('add-cancel'));
  await waitFor(() => expect(screen.queryByTestId('add-dialog')).toBeNull());
  await waitFor(() => expect(focused()).toMatchObject({ testid: 'view-registries' }));
});

test('Tab closes a menu whatever WebKitGTK calls it', async () => {
  const { screen, user } = await open(one());
  await user.click(screen.getByTestId('more'));
  await fireEvent.keyDown(screen.getByTestId('edit'), { key: 'Unidentified', code: 'Tab', shiftKey: true });
  expect(screen.queryByRole('menu')).toBeNull();
});
