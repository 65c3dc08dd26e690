// Files and wishes from outside of the page: none is lost, whatever the window is busy with.

import { waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { expect, test, vi } from 'vitest';
import type { Drop, Wish } from '../src/backend/backend';
import type { Command } from '../src/generated/Command';
import type { Reply } from '../src/generated/Reply';
import type { UiError } from '../src/generated/UiError';
import { image, registry, snapshot, transfer } from '../src/mock/words';
import { Store } from '../src/state/store.svelte';
import { ScriptedOwner, open, show } from './owner';

const one = () => snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })] });
const two = () => snapshot({ registries: [...one().registries, registry('b.example', { kind: 'idle' })] });
const files = (...paths: string[]): Wish => ({ archives: { paths } });
const drop = (...paths: string[]): Drop => ({ kind: 'drop', paths, x: 1, y: 1 });

/** The shell's: one after the other, each once. */
function wishing(owner: ScriptedOwner, ...wishes: Wish[]) {
  const left = wishes;
  const takes = vi.fn(async () => left.shift() ?? null);
  Object.assign(owner, { takeWish: takes });
  return takes;
}

test('files dropped while a dialog is open wait for it, all of them', async () => {
  const { owner, store, screen, user } = await open(two());
  store.dialog = { kind: 'add' };
  await screen.findByTestId('add-dialog');
  owner.listener.drop(drop('/x/a.tar'));
  owner.listener.drop(drop('/x/b.tar', '/x/a.tar'));
  expect(store.dialog).toEqual({ kind: 'add' });
  expect((await screen.findByTestId('notice')).textContent).toContain('a.tar and b.tar wait');
  await user.click(screen.getByTestId('add-cancel'));
  await waitFor(() => expect(store.dialog).toEqual({ kind: 'archive', paths: ['/x/a.tar', '/x/b.tar'] }));
  expect(store.notice).toBeNull();
});

test('a window that is closed leaves what waits in it to the next one', async () => {
  const { owner, store } = await open(two());
  store.dialog = { kind: 'add' };
  const folders = [{ path: '/x/layout', isLayout: true }];
  owner.listener.drop({ ...drop('/x/a.tar', '/x/layout'), folders });
  wishing(owner, 'setup', 'settings');
  owner.listener.wished();
  const archives = { paths: ['/x/a.tar', '/x/layout'], folders };
  await waitFor(() => expect(owner.kept).toEqual([{ archives }, 'setup']));

  // The next window's page: the shell has them for it.
  const next = new ScriptedOwner(two());
  wishing(next, ...owner.kept);
  const shown = await show(next);
  await waitFor(() => expect(shown.store.dialog).toEqual({ kind: 'archive', paths: archives.paths }));
  expect(next.asked()).toEqual([]);
  // What is asked waits no more; what is behind it does.
  await waitFor(() => expect(next.kept).toEqual(['setup']));
  shown.store.close();
  await waitFor(() => expect(next.kept).toEqual([]));
});

test('what another window has left is asked before it is pushed, even to the only registry', async () => {
  const owner = new ScriptedOwner(one());
  wishing(owner, { archives: { paths: ['/x/a.tar', '/x/b.txt'], isLeft: true } });
  const { store, screen, user } = await show(owner);
  await waitFor(() => expect(store.dialog).toEqual({ kind: 'archive', paths: ['/x/a.tar'] }));
  expect(store.notice?.text).toContain('b.txt is not an image archive');
  expect(owner.asked()).toEqual([]);
  await user.click(await screen.findByTestId('archive-submit'));
  await waitFor(() =>
    expect(owner.asked()).toMatchObject([
      { kind: 'push-archive', path: '/x/a.tar', registry: 'cr.boss.org' },
    ]),
  );
});

test('it waits for a dialog as a choice would; what is dropped meanwhile does not', async () => {
  const { owner, store } = await open(one());
  store.dialog = { kind: 'add' };
  wishing(owner, { archives: { paths: ['/x/a.tar'], isLeft: true } });
  owner.listener.wished();
  await waitFor(() => expect(store.notice?.text).toBe('a.tar waits until this dialog is closed.'));
  owner.listener.drop(drop('/x/b.tar'));
  await waitFor(() => expect(owner.asked()).toMatchObject([{ kind: 'push-archive', path: '/x/b.tar' }]));
  store.close();
  await waitFor(() => expect(store.dialog).toEqual({ kind: 'archive', paths: ['/x/a.tar'] }));
  expect(owner.asked()).toHaveLength(1);
});

test('what is dropped before there is a state is left to the next window, too', async () => {
  const owner = new ScriptedOwner(one());
  vi.spyOn(owner, 'dispatch').mockRejectedValue({ code: 'owner-gone', message: 'Gone.' });
  const { store } = await show(owner);
  owner.listener.drop(drop('/x/a.tar'));
  await waitFor(() => expect(owner.kept).toEqual([files('/x/a.tar')]));
  expect(store.notice?.text).toBe('a.tar waits until your registries are known.');
});

test('the shell hears of each wish that was taken up, even if none waits', async () => {
  const { owner } = await open(two());
  owner.kept = ['setup'];
  wishing(owner, 'settings');
  owner.listener.wished();
  await waitFor(() => expect(owner.kept).toEqual([]));
});

test('a folder is pushed if the shell sees an OCI layout in it, whatever it is called', async () => {
  const { owner, store } = await open(one());
  const folders = [
    { path: '/x/layout', isLayout: true },
    { path: '/x/photos', isLayout: false },
    { path: '/x/half.tar', isLayout: false },
  ];
  owner.listener.drop({ ...drop('/x/layout', '/x/photos', '/x/half.tar', '/x/b.txt'), folders });
  await waitFor(() => expect(owner.asked()).toMatchObject([{ kind: 'push-archive', path: '/x/layout' }]));
  expect(store.notice?.text).toBe(
    'b.txt is not an image archive: those end in .tar, .tar.gz or .tar.zst. It was not sent. ' +
      'photos and half.tar are folders without images: an OCI layout has oci-layout and index.json in it. They were not sent.',
  );
});

/** An archive's row while it is read. */
const readRow = (id: number, source: string) =>
  transfer(id, { source, reference: 'cr.boss.org:5000', state: { kind: 'waiting' }, road: 'direct' });

test('an archive that is read for long is shown where it can be cancelled', async () => {
  const { owner, store, screen, user } = await open(one());
  owner.answers['push-archive'] = () => new Promise(() => {});
  owner.listener.drop(drop('/x/a.tar.gz'));
  owner.tell({ kind: 'transfer', transfer: readRow(7, 'a.tar.gz') });
  await waitFor(() => expect(store.view).toBe('transfers'));
  expect((await screen.findByTestId('transfer-waits')).textContent).toBe(
    'Reading the archive to find the name of its image',
  );
  await user.click(screen.getByTestId('cancel'));
  expect(owner.asked().at(-1)).toEqual({ kind: 'cancel', transfer: 7 });
});

test('what is refused at once does not wait for an archive that is read for long', async () => {
  const { owner, store } = await open(one());
  owner.answers['push-archive'] = (command) => {
    if ('path' in command && command.path === '/x/b.tar')
      throw { code: 'archive-invalid', message: 'It is damaged.' };
    return new Promise(() => {});
  };
  owner.listener.drop(drop('/x/a.tar.gz', '/x/b.tar'));
  await waitFor(() => expect(store.notice?.text).toContain('It is damaged.'));
  expect(store.view).toBe('transfers');
});

/** Two archives in the dialog, which the owner answers when the test says so. */
async function twoInTheDialog() {
  const opened = await open(two());
  const { owner, store, screen, user } = opened;
  const answers: { resolve: (reply: Reply) => void; reject: (error: UiError) => void }[] = [];
  owner.answers['push-archive'] = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
  owner.tell({ kind: 'transfer', transfer: readRow(6, 'a.tar.gz') });
  await waitFor(() => expect(store.snapshot?.transfers).toHaveLength(1));
  store.dialog = { kind: 'archive', paths: ['/x/a.tar.gz', '/x/b.tar.gz'] };
  await user.click(await screen.findByTestId('archive-submit'));
  // All of them are asked for at once: the first may take long.
  expect(owner.asked()).toHaveLength(2);
  expect(screen.getByTestId('archive-dialog')).toBeTruthy();
  return { ...opened, answers };
}

test('nor does the dialog stand before it; what is refused is said outside, and what fails in its row', async () => {
  const { owner, store, answers } = await twoInTheDialog();
  const error: UiError = { code: 'archive-invalid', message: 'It is damaged.' };
  answers[1]!.reject(error);
  owner.tell({ kind: 'transfer', transfer: readRow(7, 'a.tar.gz') });
  await waitFor(() => expect(store.dialog).toBeNull());
  expect(store.view).toBe('transfers');
  await waitFor(() => expect(store.notice?.text).toContain('b.tar.gz was refused. It is damaged.'));
  store.notice = null;
  // Read to its end, it is no image.
  owner.tell({ kind: 'transfer', transfer: { ...readRow(7, 'a.tar.gz'), state: { kind: 'failed', error } } });
  answers[0]!.resolve({ kind: 'transfer', id: 7 });
  await waitFor(() => expect(store.snapshot?.transfers.at(-1)?.state.kind).toBe('failed'));
  await new Promise((done) => setTimeout(done, 5));
  expect(store.notice).toBeNull();
});

test('a refusal that comes when the dialog has gone is said at once', async () => {
  const { store, answers } = await twoInTheDialog();
  store.close();
  answers[1]!.reject({ code: 'archive-invalid', message: 'It is damaged.' });
  await waitFor(() => expect(store.notice?.text).toContain('It is damaged.'));
});

test('the dialog makes room for its own archives alone', async () => {
  const { owner, store } = await twoInTheDialog();
  owner.tell({ kind: 'transfer', transfer: readRow(7, 'other.tar.gz') });
  owner.tell({ kind: 'transfer', transfer: { ...readRow(8, 'a.tar.gz'), registry: 'b.example' } });
  await waitFor(() => expect(store.snapshot?.transfers).toHaveLength(3));
  await tick();
  expect(store.dialog?.kind).toBe('archive');
  owner.tell({ kind: 'transfer', transfer: readRow(9, 'b.tar.gz') });
  await waitFor(() => expect(store.dialog).toBeNull());
});

test('nor does it for any if the name was given: such an archive is not read first', async () => {
  const { owner, store, screen, user } = await open(two());
  owner.answers['push-archive'] = () => new Promise(() => {});
  store.dialog = { kind: 'archive', paths: ['/x/a.tar.gz'] };
  await user.type(await screen.findByTestId('archive-reference'), 'team/a:v1');
  await user.click(screen.getByTestId('archive-submit'));
  owner.tell({ kind: 'transfer', transfer: readRow(7, 'a.tar.gz') });
  await waitFor(() => expect(store.snapshot?.transfers).toHaveLength(1));
  await tick();
  expect(store.dialog?.kind).toBe('archive');
});

test('what a dialog opens next comes before what waits', async () => {
  const { owner, store } = await open(two());
  store.dialog = { kind: 'palette' };
  owner.listener.drop(drop('/x/a.tar'));
  store.close();
  await Promise.resolve();
  store.dialog = { kind: 'pull' };
  await new Promise((done) => setTimeout(done, 5));
  expect(store.dialog).toEqual({ kind: 'pull' });
  store.close();
  await waitFor(() => expect(store.dialog).toEqual({ kind: 'archive', paths: ['/x/a.tar'] }));
});

test('an open question of the owner is not covered', async () => {
  const { owner, store } = await open(two());
  const question = { kind: 'password', login: 'a@b', again: false } as const;
  owner.tell({ kind: 'prompt', prompt: { id: 6, registry: 'cr.boss.org', question, canKeep: true } });
  await waitFor(() => expect(store.snapshot?.prompts).toHaveLength(1));
  owner.listener.drop(drop('/x/a.tar'));
  expect(store.dialog).toBeNull();
  owner.tell({ kind: 'prompt-gone', id: 6 });
  await waitFor(() => expect(store.dialog?.kind).toBe('archive'));
});

test('every wish of the shell’s is taken up: a page at once, what asks after the dialog', async () => {
  const { owner, store } = await open(two());
  store.dialog = { kind: 'add' };
  wishing(owner, files('/x/a.tar'), 'setup', 'settings', files('/x/b.tar'));
  owner.listener.wished();
  await waitFor(() => expect(store.view).toBe('settings'));
  expect(store.dialog).toEqual({ kind: 'add' });
  const asked: unknown[] = [];
  for (let n = 0; n < 2; n += 1) {
    store.close();
    await waitFor(() => expect(store.dialog).not.toBeNull());
    asked.push(store.dialog);
  }
  expect(asked).toContainEqual({ kind: 'setup', action: 'apply', registry: null });
  expect(asked).toContainEqual({ kind: 'archive', paths: ['/x/a.tar', '/x/b.tar'] });
});

test('the setup that is open is not opened a second time', async () => {
  const { owner, store } = await open(two());
  const setup = { kind: 'setup', action: 'apply', registry: null } as const;
  const wish = async () => {
    const takes = wishing(owner, 'setup', 'settings');
    owner.listener.wished();
    await waitFor(() => expect(takes).toHaveBeenCalledTimes(3));
  };
  const stays = async () => {
    store.close();
    await new Promise((done) => setTimeout(done, 5));
    expect(store.dialog).toBeNull();
  };
  store.dialog = setup;
  await wish();
  await stays();

  // It waits for another dialog, which opens the same.
  store.dialog = { kind: 'palette' };
  await wish();
  store.close();
  store.dialog = setup;
  await new Promise((done) => setTimeout(done, 5));
  await stays();
});

test('files that wait do not take the place of an error, and their turn does not end it', async () => {
  const { owner, store } = await open(two());
  store.dialog = { kind: 'add' };
  owner.listener.drop(drop('/x/a.tar', '/x/b.txt'));
  expect(store.notice).toMatchObject({ tone: 'error', code: 'archive-invalid' });
  const waits = () => owner.announced.join(' ').split('a.tar waits').length - 1;
  await waitFor(() => expect(waits()).toBe(1));
  store.wishes.goOn();
  store.close();
  await waitFor(() => expect(store.dialog).toEqual({ kind: 'archive', paths: ['/x/a.tar'] }));
  expect(store.notice?.code).toBe('archive-invalid');
  expect(waits()).toBe(1);
});

test('with one registry nothing is asked, so nothing waits', async () => {
  const { owner, store } = await open(one());
  store.dialog = { kind: 'add' };
  wishing(owner, files('/x/a.tar'));
  owner.listener.wished();
  await waitFor(() => expect(owner.asked()).toMatchObject([{ kind: 'push-archive', path: '/x/a.tar' }]));
});

test('what comes before the first state, and before one that is asked for again, is not lost', async () => {
  const owner = new ScriptedOwner(one());
  const takes = wishing(owner, files('/x/a.tar'));
  Object.assign(owner, { demoSample: async () => '/demo/sample.tar' });
  vi.spyOn(owner, 'dispatch').mockRejectedValueOnce({ code: 'owner-gone', message: 'Gone.' });
  const { store } = await show(owner);
  expect(store.broken?.code).toBe('owner-gone');
  owner.listener.wished();
  owner.listener.drop(drop('/x/b.tar'));
  expect(takes).not.toHaveBeenCalled();
  expect(store.notice?.text).toContain('b.tar waits');
  await store.retry();
  expect(store.notice).toBeNull();
  await waitFor(() =>
    expect(
      owner
        .asked()
        .map((command) => 'path' in command && command.path)
        .toSorted(),
    ).toEqual(['/x/a.tar', '/x/b.tar']),
  );
  expect(store.demoSample).toBe('/demo/sample.tar');
});

/** Refuses those files. */
function refusing(owner: ScriptedOwner, ...paths: string[]) {
  const left = new Set(paths);
  owner.answers['push-archive'] = (command: Command) => {
    if (command.kind === 'push-archive' && left.has(command.path))
      throw { code: 'file-io', message: 'The file cannot be read.', hint: 'Look at its rights.' };
    return { kind: 'done' };
  };
  return left;
}

test('several refusals are one sentence with every name that one reads', async () => {
  const { owner, store } = await open(one());
  refusing(owner, '/x/a.tar', '/x/c.tar');
  owner.listener.drop(drop('/x/a.tar', '/x/b.tar', '/x/c.tar', '/x/d.txt', '/x/e.txt'));
  await waitFor(() => expect(store.notice?.text).toContain('The file cannot be read.'));
  expect(store.notice?.text).toBe(
    'd.txt and e.txt are not image archives: those end in .tar, .tar.gz or .tar.zst. They were not sent. ' +
      'a.tar and c.tar were refused. The file cannot be read.',
  );
  expect(store.notice?.hint).toBe('Look at its rights.');
  expect(store.view).toBe('transfers');

  const many = Array.from({ length: 50 }, (_, n) => `/x/f${n}.txt`);
  owner.listener.drop(drop(...many));
  expect(store.notice?.text).toContain('f0.txt, f1.txt, f2.txt, and 47 more are not image archives');
});

test('the dialog asks once more for those alone that were refused', async () => {
  const { owner, store, screen, user } = await open(two());
  const left = refusing(owner, '/x/b.tar', '/x/c.tar');
  owner.listener.drop(drop('/x/a.tar', '/x/b.tar', '/x/c.tar'));
  await user.click(await screen.findByTestId('archive-submit'));
  const error = await screen.findByTestId('archive-error');
  expect(error.textContent).toContain('b.tar and c.tar were refused.');
  expect(error.textContent).toContain('The file cannot be read.');
  expect(screen.getByTestId('archive-dialog').querySelectorAll('li')).toHaveLength(2);
  left.clear();
  owner.commands = [];
  await user.click(screen.getByTestId('archive-submit'));
  await waitFor(() => expect(store.view).toBe('transfers'));
  expect(owner.asked().map((command) => 'path' in command && command.path)).toEqual(['/x/b.tar', '/x/c.tar']);
});

test('so does a push to every host of a registry, and what is shipped', async () => {
  const state = snapshot({
    registries: [registry('cr.boss.org', { kind: 'idle' }, { fallbacks: [{ host: 'b' }, { host: 'c' }] })],
    engine: { state: { kind: 'ready', name: 'Docker' }, images: [image(1, ['app:v1'], 1_000, 0)] },
  });
  const { owner, store, screen, user } = await open(state);
  const refuse = (kind: 'push' | 'ship', host: string | null) => {
    owner.answers[kind] = (command: Command) => {
      if ('host' in command && command.host?.host === host) throw { code: 'timed-out', message: 'Too late.' };
      return { kind: 'done' };
    };
  };
  const hosts = () => owner.asked().flatMap((command) => ('host' in command ? [command.host?.host] : []));
  refuse('push', 'b');
  store.dialog = { kind: 'push', image: 'app:v1' };
  await user.click(await screen.findByTestId('push-everywhere'));
  await user.click(screen.getByTestId('push-submit'));
  expect((await screen.findByTestId('push-error')).textContent).toContain('b was refused.');
  refuse('push', null);
  await user.click(screen.getByTestId('push-submit'));
  await waitFor(() => expect(store.dialog).toBeNull());
  expect(hosts()).toEqual(['88.88.88.88', 'b', 'c', 'b']);

  owner.commands = [];
  refuse('ship', 'y');
  store.dialog = { kind: 'ship', image: 'app:v1' };
  await user.type(await screen.findByTestId('ship-host'), 'x, y');
  await user.click(screen.getByTestId('ship-submit'));
  expect((await screen.findByTestId('ship-error')).textContent).toContain('y was refused.');
  expect((screen.getByTestId('ship-host') as HTMLInputElement).value).toBe('y');
  refuse('ship', null);
  await user.click(screen.getByTestId('ship-submit'));
  await waitFor(() => expect(store.dialog).toBeNull());
  expect(hosts()).toEqual(['x', 'y', 'y']);
});

test('the first push may be any: a drop, or one that somebody else asked for', async () => {
  const added = async () => {
    localStorage.setItem('dockline.welcome.added', 'cr.boss.org');
    const owner = new ScriptedOwner(one());
    const store = new Store(owner);
    await store.start();
    expect(store.welcome.step).toBe('push');
    return { owner, store };
  };
  const dropped = await added();
  await dropped.store.attempt({
    kind: 'push-archive',
    path: '/a.tar',
    registry: 'b.example',
    reference: null,
  });
  expect(dropped.store.welcome.step).toBe('push');
  await dropped.store.attempt({
    kind: 'push-archive',
    path: '/a.tar',
    registry: 'cr.boss.org',
    reference: null,
  });
  expect(dropped.store.welcome.step).toBe('choose');
  expect(localStorage.getItem('dockline.welcome.added')).toBeNull();

  const told = await added();
  const state = { kind: 'done', verified: { digest: 'sha256:0', atRegistry: true } } as const;
  told.owner.tell({ kind: 'transfer', transfer: transfer(1, { state, registry: 'b.example' }) });
  await waitFor(() => expect(told.store.snapshot?.transfers).toHaveLength(1));
  expect(told.store.welcome.step).toBe('push');
  told.owner.tell({ kind: 'transfer', transfer: transfer(2, { state }) });
  await waitFor(() => expect(told.store.welcome.step).toBe('choose'));
});
