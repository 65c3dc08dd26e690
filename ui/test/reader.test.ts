// The window for somebody who hears it, or has no mouse.

import { waitFor } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import type { Reply } from '../src/generated/Reply';
import { setupPlan } from '../src/mock/setup';
import { DIGEST, NOW, image, registry, snapshot, transfer } from '../src/mock/words';
import { open } from './owner';

const engine = {
  state: { kind: 'ready', name: 'Docker 20.10.24' } as const,
  images: [image(1, ['app:v1'], 5_000_000, 0)],
};
const two = () =>
  snapshot({
    registries: [registry('a.example', { kind: 'idle' }), registry('b.example', { kind: 'idle' })],
    engine,
  });
const done = { kind: 'done', verified: { digest: DIGEST, atRegistry: true } } as const;

test('the window begins with its page, and each view that one goes to is said', async () => {
  const { owner, screen, user } = await open(two());
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('view-registries')));
  await user.click(screen.getByTestId('nav-images'));
  await waitFor(() => expect(owner.announced).toEqual(['Images']));
  // What merely changes on the page is not the page anew.
  owner.tell({ kind: 'registry', registry: registry('a.example', { kind: 'up', since: NOW }) });
  await user.click(screen.getByTestId('nav-transfers'));
  await waitFor(() => expect(owner.announced.at(-1)).toContain('Transfers'));
  expect(owner.announced.join(' ').match(/Images/g)).toHaveLength(1);
});

test('what the shell says is not said by the page as well', async () => {
  const { owner, screen, store } = await open(two());
  expect(screen.getByTestId('spoken').getAttribute('role')).toBe('status');
  store.speak('One.');
  store.speak('Two.');
  store.speak('One.');
  await waitFor(() => expect(screen.getByTestId('spoken').textContent).toBe('One. Two.'));
  expect(screen.getByTestId('spoken').getAttribute('role')).toBe('status');
  const before = screen.getByTestId('spoken').firstElementChild;
  owner.announce = async () => true;
  store.speak('One. Two.');
  await waitFor(() => expect(screen.getByTestId('spoken').getAttribute('role')).toBeNull());
  expect(screen.getByTestId('spoken').firstElementChild).not.toBe(before);
});

test('why a field was not taken is said; half a word is not', async () => {
  const { owner, screen, user } = await open(two());
  await user.click(screen.getByTestId('add-registry'));
  await user.type(screen.getByTestId('add-name'), 'a.example');
  await user.click(screen.getByTestId('add-submit'));
  const flaw = screen.getByTestId('add-name-error').textContent ?? '';
  await waitFor(() => expect(owner.announced.at(-1)).toContain(flaw));
  const count = owner.announced.length;
  await user.clear(screen.getByTestId('add-name'));
  await user.type(screen.getByTestId('add-name'), '-');
  expect(screen.getByTestId('add-name-error').textContent).not.toBe(flaw);
  await user.keyboard('{Escape}');
  expect(owner.announced).toHaveLength(count);
});

test('Enter with a name that will not do goes to the field and says why; nothing is sent', async () => {
  const { owner, screen, user } = await open(two());
  await user.click(screen.getByTestId('nav-images'));
  await user.click(screen.getAllByTestId('push')[0]!);
  const name = screen.getByTestId('push-reference');
  await user.clear(name);
  await user.type(name, 'App:v1');
  expect(owner.announced.join(' ')).not.toContain('lower case');
  await user.keyboard('{Enter}');
  await waitFor(() => expect(owner.announced.at(-1)).toContain('lower case'));
  // From elsewhere in the dialog, too; and every time.
  screen.getByTestId('push-submit').focus();
  await user.keyboard('{Enter}');
  expect(document.activeElement).toBe(name);
  await waitFor(() => expect(owner.announced.filter((text) => text.includes('lower case'))).toHaveLength(2));
  expect(owner.asked()).toEqual([]);
  await user.clear(name);
  await user.type(name, 'app:v2{Enter}');
  expect(owner.asked()).toMatchObject([{ kind: 'push', reference: 'app:v2' }]);
});

test('a registry that was added or changed is said to be', async () => {
  const { owner, screen, user } = await open(two());
  await user.keyboard('{Control>}n{/Control}');
  await user.type(await screen.findByTestId('add-name'), 'c.example');
  await user.type(screen.getByTestId('add-ssh'), 'host{Enter}');
  await waitFor(() => expect(owner.announced.at(-1)).toContain('c.example is added.'));
  screen.getAllByTestId('connect')[0]!.focus();
  await user.keyboard('{F2}');
  await user.click(await screen.findByTestId('add-submit'));
  await waitFor(() => expect(owner.announced.at(-1)).toContain('a.example is saved.'));
});

test('changing a registry begins at the field that can be changed', async () => {
  const state = two();
  state.registries[1]!.spec.url = 'https://nexus.example:8443';
  const { screen, user } = await open(state);
  const edit = async (at: number) => {
    screen.getAllByTestId('look-inside')[at]!.focus();
    await user.keyboard('{F2}');
    await screen.findByTestId('add-dialog');
    return (document.activeElement as HTMLElement).dataset['testid'];
  };
  expect(await edit(0)).toBe('add-ssh');
  await user.click(screen.getByTestId('add-cancel'));
  expect(await edit(1)).toBe('add-name');
});

test('a question is read whole: with its title what stands before the first button', async () => {
  const state = two();
  const question = {
    kind: 'host-key',
    host: '88.88.88.88',
    keyType: 'ssh-ed25519',
    fingerprint: 'SHA256:abc',
  } as const;
  state.prompts = [{ id: 1, registry: 'a.example', question, canKeep: false }];
  const { screen } = await open(state);
  const dialog = screen.getByTestId('prompt-dialog');
  const read = (dialog.getAttribute('aria-describedby') ?? '')
    .split(' ')
    .map((id) => document.getElementById(id)?.textContent);
  expect(read.join(' ')).toContain('SHA256:abc');
  expect(read.join(' ')).toContain('You have not connected to this host before');
});

test('what comes into a dialog later is said once, and read with its title for who comes back', async () => {
  const { owner, screen, user } = await open(two());
  let planned = (_: Reply) => {};
  owner.answers['plan-setup'] = () => new Promise((done) => (planned = done));
  await user.click(screen.getByTestId('setup-open'));
  const dialog = await screen.findByTestId('setup-dialog');
  const read = () =>
    (dialog.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent)
      .join(' ');
  expect(read()).toContain('Looking at the engine');
  planned({ kind: 'setup-plan', plan: setupPlan('needed', 'apply') });
  await waitFor(() => expect(screen.getByTestId('spoken').textContent).toContain('Found: Docker 28.5.2'));
  expect(read()).toBe('');
  window.dispatchEvent(new Event('blur'));
  expect(read()).toContain('Found: Docker 28.5.2');
});

test('who removes a row is at the next one, and at the page when none is left', async () => {
  const rows = [1, 2, 3].map((id) => transfer(id, { source: `app:v${id}`, state: done }));
  const { owner, screen, user } = await open(snapshot({ ...two(), transfers: rows }));
  await user.click(screen.getByTestId('nav-transfers'));
  const buttons = screen.getAllByTestId('dismiss');
  buttons[1]?.focus();
  const order = screen.getAllByTestId('transfer-row').map(({ dataset }) => Number(dataset['transfer']));
  owner.tell({ kind: 'transfer-gone', id: order[1] ?? 0 });
  await waitFor(() => expect(screen.getAllByTestId('transfer-row')).toHaveLength(2));
  await waitFor(() => expect(document.activeElement).not.toBe(document.body));
  const row = document.activeElement?.closest('[data-testid=transfer-row]');
  expect(Number((row as HTMLElement | null)?.dataset['transfer'])).toBe(order[2]);
});

test('Tab goes round, in the window and in a dialog', async () => {
  const { screen, user } = await open(two());
  screen.getByTestId('nav-registries').focus();
  await user.tab({ shift: true });
  const last = document.activeElement;
  expect(last).not.toBe(document.body);
  await user.tab();
  expect(document.activeElement).toBe(screen.getByTestId('nav-registries'));
  await user.click(screen.getByTestId('add-registry'));
  screen.getByTestId('add-submit').focus();
  await user.tab();
  expect(screen.getByTestId('add-dialog').contains(document.activeElement)).toBe(true);
});
