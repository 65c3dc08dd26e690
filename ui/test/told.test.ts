// The window tells what is so: of failures wherever one is, of settings as the owner has them, of answers to what was
// asked last.

import { cleanup, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ManifestView } from '../src/generated/ManifestView';
import type { Reply } from '../src/generated/Reply';
import type { RegistryView } from '../src/generated/RegistryView';
import type { TransferView } from '../src/generated/TransferView';
import { NOW, registry, snapshot, transfer } from '../src/mock/words';
import { Inside } from '../src/state/contents.svelte';
import { language } from '../src/state/language.svelte';
import { LENGTH, Rates } from '../src/state/rates.svelte';
import { Store } from '../src/state/store.svelte';
import { theme } from '../src/state/theme.svelte';
import { t } from '../src/strings';
import { ScriptedOwner, open } from './owner';

beforeEach(() => localStorage.clear());
afterEach(() => {
  language.choose('system');
  theme.choose('system');
});

const up = (name = 'cr.boss.org') => registry(name, { kind: 'up', since: NOW });
const refusal = { code: 'config-io', message: 'The disk is read-only.' } as const;

test('a failure on a page that is not shown is a notice, with its remedy; on its page it is not', async () => {
  const running = [1, 2, 3].map((id) => transfer(id, { source: `app:v${id}` }));
  const { owner, store, screen, user } = await open(snapshot({ registries: [up()], transfers: running }));
  const fail = (id: number, message: string) =>
    owner.tell({
      kind: 'transfer',
      transfer: transfer(id, {
        source: `app:v${id}`,
        state: { kind: 'failed', error: { code: 'registry-disk-full', message, hint: 'Look at `df -h`.' } },
      }),
    });
  await user.click(screen.getByTestId('nav-images'));
  fail(1, 'Full.');
  expect((await screen.findByTestId('notice-text')).textContent).toContain('app:v1 failed: Full.');
  expect(screen.getByTestId('notice-text').textContent).toContain('Look at df -h.');
  expect(screen.getByTestId('notice-text').querySelector('code')?.textContent).toBe('df -h');
  // A second one does not take the place of the first.
  fail(2, 'Full.');
  await waitFor(() => expect(store.notice?.text).toBe('app:v1 and app:v2 failed: Full.'));
  await user.click(screen.getByTestId('remedy-contents'));
  expect(store.view).toBe('contents');
  expect(store.notice).toBeNull();

  await user.click(screen.getByTestId('nav-transfers'));
  fail(3, 'Full.');
  await waitFor(() => expect(owner.announced.join(' ')).toContain('app:v3 failed'));
  expect(store.notice).toBeNull();
});

test('so is a tunnel that is lost for good, and another host key', async () => {
  const { owner, store, screen, user } = await open(snapshot({ registries: [up(), up('b.example')] }));
  await user.click(screen.getByTestId('nav-settings'));
  const error = { code: 'host-key-changed', message: 'The host shows another key.' } as const;
  owner.tell({ kind: 'registry', registry: registry('cr.boss.org', { kind: 'failed', error }) });
  await waitFor(() => expect(store.notice?.code).toBe('host-key-changed'));
  expect(store.notice?.text).toBe('cr.boss.org failed: The host shows another key.');
  store.notice = null;
  await user.click(screen.getByTestId('nav-registries'));
  owner.tell({ kind: 'registry', registry: registry('b.example', { kind: 'failed', error }) });
  await waitFor(() => expect(owner.announced.join(' ')).toContain('b.example failed'));
  expect(store.notice).toBeNull();
});

test('what is mended since is not told again, and a notice with nothing left to tell goes', async () => {
  const error = { code: 'registry-disk-full', message: 'Full.' } as const;
  const { owner, store, screen, user } = await open(
    snapshot({ registries: [up(), up('b.example')], transfers: [transfer(1, {}), transfer(2, {})] }),
  );
  const change = (id: number, state: TransferView['state']) =>
    owner.tell({ kind: 'transfer', transfer: transfer(id, { source: `app:v${id}`, state }) });
  await user.click(screen.getByTestId('nav-settings'));
  const lost = { code: 'ssh-lost', message: 'The line is dead.' } as const;
  owner.tell({ kind: 'registry', registry: registry('b.example', { kind: 'failed', error: lost }) });
  await waitFor(() => expect(store.notice?.text).toBe('b.example failed: The line is dead.'));
  change(1, { kind: 'failed', error });
  await waitFor(() => expect(store.notice?.text).toContain('app:v1 failed: Full.'));
  expect(store.notice?.text).toContain('b.example failed');
  expect(store.notice?.remedy).toBeNull();
  // The tunnel is up again: one failure is left, and with it its button.
  owner.tell({ kind: 'registry', registry: up('b.example') });
  await waitFor(() => expect(store.notice?.text).toBe('app:v1 failed: Full.'));
  expect(store.notice?.remedy?.testid).toBe('remedy-contents');
  // The first is tried again while the second fails.
  change(1, { kind: 'running' });
  change(2, { kind: 'failed', error });
  await waitFor(() => expect(store.notice?.text).toBe('app:v2 failed: Full.'));
  owner.tell({ kind: 'transfer-gone', id: 2 });
  await waitFor(() => expect(store.notice).toBeNull());

  // A notice of somebody else's stays.
  change(1, { kind: 'failed', error });
  await waitFor(() => expect(store.notice?.text).toBe('app:v1 failed: Full.'));
  store.notice = { tone: 'error', text: 'Something else.' };
  change(1, { kind: 'running' });
  await waitFor(() => expect(store.snapshot?.transfers[0]?.state.kind).toBe('running'));
  expect(store.notice.text).toBe('Something else.');
});

test('a newer version is told in the window, if that is wanted, and not in place of an error', async () => {
  const state = snapshot({ registries: [up()] });
  const release = { version: '0.2.0', url: 'https://example.org/0.2.0', notes: null };
  const updates = (at: number) => ({
    ...state.updates,
    last: { at, newest: '0.2.0', release, isNews: true },
  });
  const { owner, store, screen, user } = await open(state);
  store.notice = { tone: 'error', text: 'Something else.' };
  owner.tell({ kind: 'updates', updates: updates(1) });
  await waitFor(() => expect(store.snapshot?.updates.last?.at).toBe(1));
  expect(store.notice?.text).toBe('Something else.');
  store.notice = null;
  owner.tell({ kind: 'paused', paused: false });
  await waitFor(() => expect(store.notice?.text).toContain('Dockline 0.2.0 is available'));
  await user.click(await screen.findByTestId('notice-show'));
  expect(store.view).toBe('settings');
  cleanup();

  const settings = { ...state.settings, notices: { ...state.settings.notices, update: false } };
  const quiet = await open({ ...state, settings });
  quiet.owner.tell({ kind: 'updates', updates: updates(1) });
  await waitFor(() => expect(quiet.store.snapshot?.updates.last?.at).toBe(1));
  expect(quiet.store.notice).toBeNull();
});

test('a setting that is refused is shown as it is, and the next click asks for the same', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  owner.refuse('change-settings', refusal);
  owner.answers['list-contexts'] = () => ({
    kind: 'contexts',
    contexts: ['default', 'rootless'].map((name) => ({ name, address: `unix:///${name}`, inUse: false })),
  });
  await user.click(screen.getByTestId('nav-settings'));
  const before = snapshot({}).settings;
  const toggle = screen.getByTestId('set-keyring') as HTMLInputElement;
  await user.click(toggle);
  await screen.findByTestId('settings-error');
  expect(toggle.checked).toBe(before.keyring);
  await user.click(toggle);
  const changes = () => owner.asked().filter((asked) => asked.kind === 'change-settings');
  expect(changes()).toEqual(Array(2).fill({ kind: 'change-settings', change: { keyring: !before.keyring } }));

  const linger = screen.getByTestId('set-linger') as HTMLInputElement;
  await user.clear(linger);
  await user.type(linger, '77{Enter}');
  linger.blur();
  await waitFor(() => expect(changes().at(-1)).toMatchObject({ change: { lingerSeconds: 77 } }));
  await waitFor(() => expect(linger.value).toBe(`${before.lingerSeconds}`));
  expect(screen.getByTestId('set-linger-error').textContent).toContain(refusal.message);
  await user.clear(linger);
  await user.type(linger, '77{Enter}');
  linger.blur();
  await waitFor(() => expect(changes().filter((asked) => 'lingerSeconds' in asked.change)).toHaveLength(2));

  const select = (testid: string) => screen.getByTestId(testid) as HTMLSelectElement;
  await user.selectOptions(select('set-update-check'), 'daily');
  expect(select('set-update-check').value).toBe(before.updateCheck);
  const engine = select('set-engine').value;
  await user.selectOptions(select('set-engine'), 'rootless');
  expect(select('set-engine').value).toBe(engine);
  await user.selectOptions(select('set-theme'), 'dark');
  await waitFor(() => expect(theme.choice).toBe('system'));
  expect(select('set-theme').value).toBe('system');
  await user.selectOptions(select('set-language'), 'nl');
  await waitFor(() => expect(language.choice).toBe('system'));
  expect(select('set-language').value).toBe('system');
});

test('a setting that is taken is shown as soon as the owner tells, and so is one changed elsewhere', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  await user.click(screen.getByTestId('nav-settings'));
  const toggle = screen.getByTestId('set-keyring') as HTMLInputElement;
  const { settings } = snapshot({});
  await user.click(toggle);
  owner.tell({ kind: 'settings', settings: { ...settings, keyring: !settings.keyring } });
  await waitFor(() => expect(toggle.checked).toBe(!settings.keyring));
  owner.tell({ kind: 'settings', settings: { ...settings, lingerSeconds: 33 } });
  await waitFor(() => expect(toggle.checked).toBe(settings.keyring));
  expect((screen.getByTestId('set-linger') as HTMLInputElement).value).toBe('33');
});

test('a second quick click takes back the first, before the owner has told anything', async () => {
  const { owner, screen, user } = await open(snapshot({}));
  await user.click(screen.getByTestId('nav-settings'));
  const { keyring, updateCheck } = snapshot({}).settings;
  const toggle = screen.getByTestId('set-keyring') as HTMLInputElement;
  await user.click(toggle);
  expect(toggle.checked).toBe(!keyring);
  await user.click(toggle);
  expect(toggle.checked).toBe(keyring);
  const select = screen.getByTestId('set-update-check') as HTMLSelectElement;
  await user.selectOptions(select, 'daily');
  expect(select.value).toBe('daily');
  await user.selectOptions(select, updateCheck);
  expect(owner.asked()).toEqual(
    [{ keyring: !keyring }, { keyring }, { updateCheck: 'daily' }, { updateCheck }].map((change) => ({
      kind: 'change-settings',
      change,
    })),
  );
});

test('a refused Connect is over when the tunnel comes up after all', async () => {
  const { owner, screen, user } = await open(
    snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })] }),
  );
  owner.refuse('connect', { code: 'ssh-unreachable', message: 'The host does not answer.' });
  await user.click(screen.getByTestId('connect'));
  await screen.findByTestId('registry-error');
  owner.tell({ kind: 'registry', registry: up() });
  await waitFor(() => expect(screen.queryByTestId('registry-error')).toBeNull());
});

test('a registry that runs on this machine is offered, and leaves what was typed alone', async () => {
  const owner = new ScriptedOwner(snapshot({}));
  const why = 'The container registry runs the image registry:2 at 127.0.0.1:5001.';
  const store = new Store(owner);
  await store.start();
  const form = { ...store.welcome.form, ssh: 'me@host', identity: '/k', jump: 'j', remote: '/run/r.sock' };
  store.welcome.form = form;
  const nothing = { name: null, ssh: null, why };
  store.welcome.take({
    ...nothing,
    source: { kind: 'container', container: 'registry' },
    remote: '127.0.0.1:5001',
  });
  expect(store.dialog).toEqual({ kind: 'offer', to: '127.0.0.1:5001' });
  expect(store.welcome.form).toEqual(form);
  store.welcome.take({ ...nothing, name: 'cr.me.org', source: { kind: 'image', image: 'x' }, remote: null });
  expect(store.welcome.form).toMatchObject({ name: 'cr.me.org', identity: '/k', jump: 'j' });
});

test('the dialog begins with the registry that it was opened for', async () => {
  const { screen, store } = await open(snapshot({}));
  store.dialog = { kind: 'offer', to: '127.0.0.1:5001' };
  expect(((await screen.findByTestId('offer-to')) as HTMLInputElement).value).toBe('127.0.0.1:5001');
});

test('a late answer about another repository’s image is not shown under this one’s name', async () => {
  const owner = new ScriptedOwner(snapshot({}));
  const store = new Store(owner);
  const answers = new Map<string, (reply: Reply) => void>();
  owner.answers['look'] = (command) => {
    if (command.kind !== 'look') throw new Error(command.kind);
    const { look } = command;
    if (look.kind === 'manifest') return new Promise((answer) => answers.set(look.repository, answer));
    if (look.kind === 'referrers')
      return { kind: 'contents', contents: { kind: 'referrers', referrers: [] } };
    return { kind: 'contents', contents: { kind: 'tags', page: { names: [], next: null } } };
  };
  const manifest = (digest: string): Reply => ({
    kind: 'contents',
    contents: { kind: 'manifest', manifest: { digest } as ManifestView },
  });
  const inside = new Inside(store, 'cr.boss.org');
  inside.openRepository('one');
  const first = inside.openImage('latest');
  await waitFor(() => expect(answers.has('one')).toBe(true));
  inside.openRepository('two');
  const second = inside.openImage('latest');
  await waitFor(() => expect(answers.has('two')).toBe(true));
  answers.get('one')!(manifest('sha256:1'));
  await first;
  expect(inside.detail).toBeNull();
  answers.get('two')!(manifest('sha256:2'));
  await second;
  expect(inside.detail).toMatchObject({ manifest: { digest: 'sha256:2' } });
});

test('the last minute is the last minute, however long nobody looked', () => {
  const rates = new Rates();
  const at = (bytesUp: number): RegistryView[] => [{ ...up(), tunnel: { ...up().tunnel, bytesUp } }];
  const sent = () => rates.of('cr.boss.org').map((sample) => sample.up);
  rates.sample(at(0), 1_000);
  rates.sample(at(500), 2_000);
  expect(sent()).toEqual([0, 500]);
  // The ten seconds in between take ten places.
  rates.sample(at(1_500), 12_000);
  expect(sent()).toEqual([0, 500, ...Array<number>(10).fill(100)]);
  rates.sample(at(9_000_000), 3_600_000);
  expect(sent()).toEqual([0]);
  for (let n = 1; n <= 2 * LENGTH; n += 1) rates.sample(at(9_000_000), 3_600_000 + n * 1_000);
  expect(sent()).toHaveLength(LENGTH);
});

test('counts are written as the language does', () => {
  language.choose('en');
  expect(t.contents.usage.tags(12_345)).toBe('12,345 tags');
  expect(t.contents.usage.tags(1)).toBe('1 tag');
  language.choose('nl');
  expect(t.contents.usage.tags(12_345)).toBe('12.345 tags');
});

test('a file dialog names the archives in the person’s language', async () => {
  const { store, owner } = await open(snapshot({}));
  const asked: string[] = [];
  Object.assign(owner, { chooseFile: async (...words: string[]) => (asked.push(...words), null) });
  language.choose('nl');
  await store.chooseFile('archive', 'Titel');
  expect(asked).toEqual(['archive', 'Titel', 'Image-archieven (docker save, OCI-layout)']);
});
