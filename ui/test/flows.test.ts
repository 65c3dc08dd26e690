// The window as a person uses it, from click to command.

import { fireEvent, waitFor, within } from '@testing-library/svelte';
import { describe, expect, test } from 'vitest';
import { APPLIED, setupPlan, setupReport, type SetupCase } from '../src/mock/setup';
import type { Reply } from '../src/generated/Reply';
import { DIGEST, NOW, image, layer, lease, registry, snapshot, transfer } from '../src/mock/words';
import { open } from './owner';

const engine = {
  state: { kind: 'ready', name: 'Docker 20.10.24' } as const,
  images: [image(1, ['app:v1'], 5_000_000, 0)],
};
const one = () => snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })], engine });
const two = () =>
  snapshot({ ...one(), registries: [...one().registries, registry('b.example', { kind: 'idle' })] });

describe('offering a registry', () => {
  test('it is offered, shown, and taken back', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('offer-registry'));
    await user.click(screen.getByTestId('offer-submit'));
    expect(screen.getByTestId('offer-ssh-error').textContent).toContain('user@host');
    await user.type(screen.getByTestId('offer-ssh'), 'root@prod{Enter}');
    const spec = { ssh: { host: 'prod', user: 'root', port: null }, port: 5000, to: '127.0.0.1:5000' };
    expect(owner.asked()).toMatchObject([{ kind: 'offer', offer: spec, hold: false }]);
    await waitFor(() => expect(screen.queryByTestId('offer-dialog')).toBeNull());
    const state = { kind: 'offering' as const, since: NOW };
    const offer = { id: 3, spec, kept: false, state, connections: 0, bytesUp: 0, bytesDown: 0 };
    owner.tell({ kind: 'offer', offer });
    const card = await screen.findByTestId('offer-card');
    expect(card.textContent).toContain('127.0.0.1:5000 as localhost:5000 on root@prod');
    const error = { code: 'registry-unreachable' as const, message: 'Nothing runs there.' };
    owner.tell({ kind: 'offer', offer: { ...offer, error } });
    expect((await screen.findByTestId('offer-card-error')).textContent).toContain('Nothing runs there.');
    await user.click(screen.getByTestId('offer-withdraw'));
    expect(owner.asked().at(-1)).toEqual({ kind: 'withdraw', offer: 3 });
    owner.tell({ kind: 'offer-gone', id: 3 });
    await waitFor(() => expect(screen.queryByTestId('offer-card')).toBeNull());
  });
});

describe('adding a registry', () => {
  test('two fields are enough', async () => {
    const { owner, screen, user } = await open(snapshot({}));
    await user.click(screen.getByTestId('add-registry'));
    await user.type(screen.getByTestId('add-name'), 'cr.boss.org');
    await user.type(screen.getByTestId('add-ssh'), 'dockercr@88.88.88.88{Enter}');
    expect(owner.asked()).toMatchObject([
      {
        kind: 'add-registry',
        target: {
          name: 'cr.boss.org',
          ssh: { host: '88.88.88.88', user: 'dockercr' },
          remote: null,
          port: null,
        },
      },
    ]);
    await waitFor(() => expect(screen.queryByTestId('add-dialog')).toBeNull());
    owner.tell({ kind: 'registry', registry: registry('cr.boss.org', { kind: 'idle' }) });
    expect((await screen.findByTestId('registry-address')).textContent).toBe('cr.boss.org:5000');
  });

  test('a wrong field is said beside it, and nothing is sent', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('add-registry'));
    await user.type(screen.getByTestId('add-name'), 'cr.boss.org');
    await user.click(screen.getByTestId('add-submit'));
    expect(screen.getByTestId('add-name-error').textContent).toContain('already');
    expect(screen.getByTestId('add-ssh-error').textContent).toContain('user@host');
    expect(screen.getByTestId('add-name').getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(screen.getByTestId('add-name'));
    expect(owner.asked()).toEqual([]);
  });

  test('the owner’s refusal keeps the dialog and what was typed', async () => {
    const { owner, screen, user } = await open(one());
    owner.refuse('add-registry', {
      code: 'config-io',
      message: 'The disk is read-only.',
      hint: 'Remount it.',
    });
    await user.click(screen.getByTestId('add-registry'));
    await user.type(screen.getByTestId('add-name'), 'c.example');
    await user.type(screen.getByTestId('add-ssh'), 'host{Enter}');
    const error = await screen.findByTestId('add-error');
    expect(error.dataset['code']).toBe('config-io');
    expect(error.textContent).toContain('Remount it.');
    expect((screen.getByTestId('add-name') as HTMLInputElement).value).toBe('c.example');
  });
});

describe('a tunnel', () => {
  test('connects, shows its state, and disconnects', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('connect'));
    expect(owner.asked()).toEqual([{ kind: 'connect', registry: 'cr.boss.org', hold: false }]);
    const up = registry('cr.boss.org', { kind: 'up', since: NOW });
    up.tunnel.leases = [lease({ kind: 'manual' })];
    owner.tell({ kind: 'registry', registry: up });
    await waitFor(() => expect(screen.getByTestId('registry-state').textContent).toContain('Connected'));
    expect(screen.getByTestId('holder').textContent).toBe('you');
    await waitFor(() => expect(owner.announced).toContain('cr.boss.org is connected.'));
    await user.click(screen.getByTestId('disconnect'));
    expect(owner.asked().at(-1)).toEqual({ kind: 'disconnect', registry: 'cr.boss.org', force: false });
  });

  test('a failure is one sentence with its remedy, said once', async () => {
    const error = { code: 'ssh-auth', message: 'No key was accepted.', hint: 'Run ssh-add.' } as const;
    const { owner, screen, user } = await open(one());
    owner.refuse('connect', error);
    await user.click(screen.getByTestId('connect'));
    owner.tell({ kind: 'registry', registry: registry('cr.boss.org', { kind: 'failed', error }) });
    await waitFor(() => expect(screen.getByTestId('registry-card').dataset['state']).toBe('failed'));
    expect(screen.getAllByText('No key was accepted.')).toHaveLength(1);
    expect(screen.getByTestId('registry-error').dataset['code']).toBe('ssh-auth');
    expect(screen.queryByTestId('notice')).toBeNull();
    expect(screen.getByTestId('connect').textContent).toBe('Try again');
  });

  test('that others use is closed only after a question', async () => {
    const up = registry('cr.boss.org', { kind: 'up', since: NOW });
    up.tunnel.leases = [
      lease({ kind: 'manual' }),
      lease({ kind: 'connection', peer: '127.0.0.1:9' }, 0, 'dockerd'),
    ];
    const { owner, screen, user } = await open(snapshot({ registries: [up] }));
    await user.click(screen.getByTestId('disconnect'));
    expect(screen.getByTestId('confirm-dialog').textContent).toContain('dockerd');
    await user.click(screen.getByTestId('confirm-later'));
    expect(owner.asked()).toEqual([{ kind: 'disconnect', registry: 'cr.boss.org', force: false }]);
    await user.click(screen.getByTestId('disconnect'));
    await user.click(screen.getByTestId('confirm-accept'));
    expect(owner.asked().at(-1)).toEqual({ kind: 'disconnect', registry: 'cr.boss.org', force: true });
  });

  test('is removed only after a question', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('remove'));
    await user.click(screen.getByTestId('confirm-cancel'));
    const deeds = () => owner.asked().filter(({ kind }) => kind !== 'plan-setup');
    expect(deeds()).toEqual([]);
    await user.click(screen.getByTestId('remove'));
    await user.click(screen.getByTestId('confirm-accept'));
    await waitFor(() => expect(deeds()).toEqual([{ kind: 'remove-registry', registry: 'cr.boss.org' }]));
    await waitFor(() => expect(screen.queryByTestId('confirm-dialog')).toBeNull());
  });
});

describe('make docker push work here', () => {
  const planned = (kind: SetupCase, action: 'apply' | 'undo' = 'apply') => ({
    kind: 'setup-plan' as const,
    plan: setupPlan(kind, action),
  });
  const unnamed = () => {
    const state = one();
    state.registries[0]!.aliasReady = false;
    return state;
  };

  test('shows everything first, then does just that, and says what the engine says', async () => {
    const { owner, screen, user } = await open(unnamed());
    owner.answers['plan-setup'] = () => planned('needed');
    await user.click(screen.getByTestId('fix-hosts'));
    const diffs = await screen.findAllByTestId('setup-diff');
    expect(diffs.map((diff) => diff.textContent).join()).toContain('+127.77.41.18 cr.boss.org');
    expect(screen.getByTestId('setup-engine').textContent).toContain('Docker 28.5.2, on this machine');
    expect(screen.getByTestId('setup-step').textContent).toContain('dockerd reads its settings again');
    expect(screen.getByTestId('setup-permission').textContent).toContain('once');
    expect(owner.asked()).toEqual([
      { kind: 'plan-setup', action: 'apply', registry: 'cr.boss.org', changes: [] },
      { kind: 'list-setup' },
    ]);

    let finish = (_: Reply) => {};
    owner.answers['apply-setup'] = () => new Promise((done) => (finish = done));
    await user.click(screen.getByTestId('setup-apply'));
    expect(owner.asked().at(-1)).toEqual({ kind: 'apply-setup', plan: setupPlan('needed', 'apply') });
    owner.tell({ kind: 'setup', progress: { words: 'Docker asks for cr.boss.org:5000', done: 2, total: 3 } });
    await waitFor(() =>
      expect(screen.getByTestId('setup-progress').textContent).toContain('asks for cr.boss.org'),
    );
    await user.keyboard('{Escape}');
    expect(
      screen.queryByTestId('setup-dialog'),
      'what is under way cannot be walked away from',
    ).not.toBeNull();
    finish({ kind: 'setup-report', report: setupReport('needed', 'apply') });
    expect((await screen.findByTestId('setup-summary')).textContent).toContain('docker push works here');
    expect(screen.getByTestId('setup-check').dataset['outcome']).toBe('reached');
    await waitFor(() => expect(screen.getByTestId('spoken').textContent).toContain('docker push works here'));
    await user.click(screen.getByTestId('setup-cancel'));
    await waitFor(() => expect(screen.queryByTestId('setup-dialog')).toBeNull());
  });

  test('opens from the tray, also in a window that is there already', async () => {
    const { owner, screen } = await open(one());
    owner.answers['plan-setup'] = () => planned('satisfied');
    owner.wish = 'setup';
    owner.listener.wished();
    expect((await screen.findByTestId('setup-why')).textContent).toContain('needs no exception');
  });

  test('names the containers that a restart stops, and why it does not work after all', async () => {
    const { owner, screen, user } = await open(one());
    owner.answers['plan-setup'] = () => planned('failing');
    owner.answers['apply-setup'] = () => ({
      kind: 'setup-report',
      report: setupReport('failing', 'apply'),
    });
    await user.click(screen.getByTestId('setup-open'));
    expect((await screen.findByTestId('setup-stops')).textContent).toContain('stops web and database.');
    await user.click(screen.getByTestId('setup-apply'));
    const failed = await screen.findByTestId('setup-check-failed');
    expect(failed.dataset['code']).toBe('engine-cannot-reach');
  });

  test.each(['satisfied', 'refused'] as const)('has nothing to do where it is %s', async (kind) => {
    const { owner, screen, user } = await open(one());
    owner.answers['plan-setup'] = () => planned(kind);
    await user.click(screen.getByTestId('setup-open'));
    await waitFor(() => expect(screen.getByTestId('setup-cancel').textContent).toBe('Close'));
    await screen.findByTestId(kind === 'refused' ? 'setup-refused' : 'setup-why');
    expect(screen.queryByTestId('setup-apply')).toBeNull();
  });

  test('is planned anew when a file changed in the meantime', async () => {
    const { owner, screen, user } = await open(unnamed());
    let plans = 0;
    owner.answers['plan-setup'] = () => (plans++, planned('needed'));
    owner.refuse('apply-setup', { code: 'hosts-changed', message: 'Changed.' });
    await user.click(screen.getByTestId('fix-hosts'));
    await screen.findAllByTestId('setup-diff');
    await user.click(screen.getByTestId('setup-apply'));
    await waitFor(() => expect(plans).toBe(2));
    expect(screen.getByTestId('setup-dialog').textContent).toContain('changed in the meantime');
  });

  test('goes with its registry, unless it is to stay', async () => {
    const { owner, screen, user } = await open(one());
    owner.answers['plan-setup'] = () => planned('needed', 'undo');
    owner.answers['apply-setup'] = () => ({ kind: 'setup-report', report: setupReport('needed', 'undo') });
    await user.click(screen.getByTestId('remove'));
    await screen.findByTestId('remove-settings');
    expect(owner.asked()).toEqual([
      { kind: 'plan-setup', action: 'undo', registry: 'cr.boss.org', changes: [] },
    ]);
    expect(screen.getByTestId('confirm-dialog').textContent).toContain('/etc/hosts');
    await user.click(screen.getByTestId('remove-show'));
    screen.getByTestId('remove-diff');
    await user.click(screen.getByTestId('confirm-accept'));
    await waitFor(() =>
      expect(owner.asked().map(({ kind }) => kind)).toEqual(['plan-setup', 'apply-setup', 'remove-registry']),
    );

    owner.commands = [];
    await waitFor(() => expect(screen.queryByTestId('confirm-dialog')).toBeNull());
    await user.click(screen.getByTestId('remove'));
    await user.click(await screen.findByTestId('remove-settings'));
    await user.click(screen.getByTestId('confirm-accept'));
    expect(owner.asked().map(({ kind }) => kind)).toEqual(['plan-setup', 'remove-registry']);
  });

  test('is seen before it goes, however fast one is', async () => {
    const { owner, screen, user } = await open(one());
    let answer: (reply: ReturnType<typeof planned>) => void = () => {};
    owner.answers['plan-setup'] = () => new Promise((resolve) => (answer = resolve));
    await user.click(screen.getByTestId('remove'));
    await user.click(screen.getByTestId('confirm-accept'));
    answer(planned('needed', 'undo'));
    await screen.findByTestId('remove-settings');
    expect(owner.asked().map(({ kind }) => kind)).toEqual(['plan-setup']);
    await user.click(screen.getByTestId('confirm-accept'));
    await waitFor(() =>
      expect(owner.asked().map(({ kind }) => kind)).toEqual(['plan-setup', 'apply-setup', 'remove-registry']),
    );
  });

  test('that cannot be taken back keeps its registry, and a plan that is old is shown anew', async () => {
    const { owner, screen, user } = await open(one());
    owner.answers['plan-setup'] = () => planned('needed', 'undo');
    owner.refuse('apply-setup', { code: 'permission-denied', message: 'Leave was not given.' });
    await user.click(screen.getByTestId('remove'));
    await screen.findByTestId('remove-settings');
    await user.click(screen.getByTestId('confirm-accept'));
    expect((await screen.findByTestId('remove-error')).dataset['code']).toBe('permission-denied');
    owner.refuse('apply-setup', { code: 'hosts-changed', message: 'It changed.' });
    await user.click(screen.getByTestId('confirm-accept'));
    await waitFor(() =>
      expect(screen.getByTestId('confirm-dialog').textContent).toContain('changed in the meantime'),
    );
    expect(owner.asked().map(({ kind }) => kind)).toEqual([
      'plan-setup',
      'apply-setup',
      'apply-setup',
      'plan-setup',
    ]);
  });

  test('is undone change by change, or all at once', async () => {
    const { owner, screen, user } = await open(one());
    owner.answers['plan-setup'] = (command) =>
      planned('satisfied', command.kind === 'plan-setup' ? command.action : 'apply');
    owner.answers['list-setup'] = () => ({ kind: 'setup-applied', changes: APPLIED });
    owner.answers['apply-setup'] = () => ({ kind: 'setup-report', report: setupReport('needed', 'undo') });
    await user.click(screen.getByTestId('setup-open'));
    const all = await screen.findAllByTestId('setup-undo-one');
    expect(all.map((button) => button.getAttribute('aria-label'))).toEqual([
      'Undo the change of /etc/hosts',
      'Undo the change of /etc/docker/daemon.json',
    ]);
    await user.click(all[1]!);
    await screen.findAllByTestId('setup-diff');
    expect(
      owner
        .asked()
        .filter(({ kind }) => kind === 'plan-setup')
        .at(-1),
    ).toEqual({
      kind: 'plan-setup',
      action: 'undo',
      registry: null,
      changes: ['daemon-json'],
    });
    await user.click(screen.getByTestId('setup-apply'));
    expect((await screen.findByTestId('setup-summary')).textContent).toContain('undone');
  });
});

describe('images and transfers', () => {
  test('a push goes to the registry chosen, under the name given', async () => {
    const { owner, screen, user } = await open(two());
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('push'));
    const choice = screen
      .getAllByTestId('push-registry')
      .find((radio) => radio.dataset['registry'] === 'b.example');
    await user.click(choice!);
    const name = screen.getByTestId('push-reference');
    expect((name as HTMLInputElement).value).toBe('app:v1');
    await user.clear(name);
    await user.type(name, 'team/app:v2{Enter}');
    expect(owner.asked()).toEqual([
      { kind: 'push', image: 'app:v1', registry: 'b.example', reference: 'team/app:v2' },
    ]);
    await waitFor(() => expect(screen.getByTestId('app').dataset['view']).toBe('transfers'));
  });

  test('whoever leaves a push with Escape while it is asked for stays where they are', async () => {
    const { owner, screen, store, user } = await open(two());
    let end = (_: Reply) => {};
    owner.answers['push'] = () => new Promise((done) => (end = done));
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('push'));
    await user.click(screen.getByTestId('push-submit'));
    await fireEvent(screen.getByTestId('push-dialog'), new Event('cancel', { cancelable: true }));
    await waitFor(() => expect(screen.queryByTestId('push-dialog')).toBeNull());
    await user.click(screen.getByTestId('push'));
    const another = store.dialog;
    end({ kind: 'transfer', id: 1 });
    // Whatever it would do comes before this.
    await new Promise((done) => setTimeout(done));
    expect(store.dialog).toBe(another);
    expect(store.view).toBe('images');
  });

  test('what tells of no bytes shows those that crossed the line', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('nav-transfers'));
    // As Podman pushes.
    owner.tell({ kind: 'transfer', transfer: transfer(4, { sent: 41_000_000, rate: 8_000_000 }) });
    const row = within(await screen.findByTestId('transfer-row'));
    expect(row.getByTestId('transfer-crossed').textContent).toBe('41.0\u00a0MB sent');
    expect(row.getByTestId('transfer-rate').textContent).toBe('8.0\u00a0MB/s');
    expect(row.queryByText(/of 0/)).toBeNull();
    await user.click(screen.getByTestId('nav-images'));
    expect(screen.getByTestId('running-strip').textContent).toContain('41.0\u00a0MB');
  });

  test('progress, cancel, and the digest in the end', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('nav-transfers'));
    const running = transfer(4, {
      layers: [layer(1, { kind: 'exists' }, 0, 10), layer(2, { kind: 'transferring' }, 50, 100)],
      current: 50,
      total: 100,
      rate: 10_000_000,
      secondsLeft: 12,
    });
    owner.tell({ kind: 'transfer', transfer: running });
    const row = within(await screen.findByTestId('transfer-row'));
    expect(row.getByTestId('transfer-bar').getAttribute('aria-valuenow')).toBe('50');
    expect(row.getAllByTestId('layer-row').map((li) => li.dataset['state'])).toEqual([
      'exists',
      'transferring',
    ]);
    expect(row.getByTestId('transfer-rate').textContent).toBe('10.0\u00a0MB/s');
    await user.click(row.getByTestId('cancel'));
    expect(owner.asked()).toEqual([{ kind: 'cancel', transfer: 4 }]);
    // The share does not fall with it.
    owner.tell({ kind: 'transfer', transfer: { ...running, current: 50, total: 400 } });
    await waitFor(() => expect(row.getByText('50 B of 400 B')).toBeTruthy());
    expect(row.getByTestId('transfer-bar').getAttribute('aria-valuenow')).toBe('50');
    owner.tell({
      kind: 'transfer',
      transfer: {
        ...running,
        state: { kind: 'done', verified: { digest: DIGEST, atRegistry: true } },
        finished: NOW,
      },
    });
    expect((await row.findByTestId('transfer-digest')).textContent).toBe(DIGEST);
    expect(row.getAllByTestId('layer-row')).toHaveLength(2);
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('nav-transfers'));
    expect(screen.queryAllByTestId('layer-row')).toEqual([]);
  });

  test('a failure has the engine’s own words at hand', async () => {
    const failed = transfer(4, {
      state: { kind: 'failed', error: { code: 'registry-disk-full', message: 'Full.', details: 'ENOSPC' } },
      finished: NOW,
    });
    const { screen, user } = await open(snapshot({ transfers: [failed] }));
    await user.click(screen.getByTestId('nav-transfers'));
    expect(screen.getByTestId('transfer-error').dataset['code']).toBe('registry-disk-full');
    expect(screen.getByTestId('transfer-details').textContent).toContain('ENOSPC');
    expect(screen.getByTestId('retry')).toBeTruthy();
  });

  test('no engine is explained, not an empty list', async () => {
    const state = one();
    state.engine = {
      state: { kind: 'unavailable', error: { code: 'engine-permission', message: 'Not allowed.' } },
      images: [],
    };
    const { screen, user } = await open(state);
    await user.click(screen.getByTestId('nav-images'));
    expect(screen.getByTestId('engine-unavailable').dataset['code']).toBe('engine-permission');
  });
});

describe('questions', () => {
  test('a host key is shown in full and trusted on a click', async () => {
    const { owner, screen, user } = await open(one());
    owner.tell({
      kind: 'prompt',
      prompt: {
        id: 3,
        registry: 'cr.boss.org',
        question: { kind: 'host-key', host: 'h', keyType: 'ssh-ed25519', fingerprint: 'SHA256:abc' },
        canKeep: false,
      },
    });
    expect((await screen.findByTestId('prompt-fingerprint')).textContent).toBe('SHA256:abc');
    expect(screen.getByTestId('prompt-key-type').textContent).toBe('ssh-ed25519');
    expect(document.activeElement).toBe(screen.getByTestId('prompt-refuse'));
    await user.click(screen.getByTestId('prompt-accept'));
    expect(owner.asked()).toEqual([{ kind: 'answer', prompt: 3, answer: { kind: 'trust' } }]);
    await waitFor(() => expect(screen.queryByTestId('prompt-dialog')).toBeNull());
  });

  test('a passphrase is sent once and never kept on the page', async () => {
    const { owner, screen, user } = await open(one());
    owner.tell({
      kind: 'prompt',
      prompt: {
        id: 4,
        registry: 'cr.boss.org',
        question: { kind: 'passphrase', key: '~/.ssh/k', again: false },
        canKeep: true,
      },
    });
    const field = await screen.findByTestId('prompt-secret');
    expect(field.getAttribute('type')).toBe('password');
    await user.type(field, 'open sesame');
    await user.click(screen.getByTestId('prompt-remember'));
    await user.click(screen.getByTestId('prompt-accept'));
    expect(owner.asked()).toEqual([
      { kind: 'answer', prompt: 4, answer: { kind: 'secret', value: 'open sesame', remember: true } },
    ]);
    owner.tell({
      kind: 'prompt',
      prompt: {
        id: 5,
        registry: 'cr.boss.org',
        question: { kind: 'passphrase', key: '~/.ssh/k', again: true },
        canKeep: false,
      },
    });
    await waitFor(() => expect(screen.getByTestId('prompt-dialog').dataset['prompt']).toBe('5'));
    expect((screen.getByTestId('prompt-secret') as HTMLInputElement).value).toBe('');
    expect(screen.getByTestId('prompt-secret-error')).toBeTruthy();
    expect(screen.queryByTestId('prompt-remember'), 'offered without a keyring').toBeNull();
  });

  test('Escape refuses', async () => {
    const { owner, screen } = await open(one());
    owner.tell({
      kind: 'prompt',
      prompt: {
        id: 6,
        registry: 'cr.boss.org',
        question: { kind: 'password', login: 'a@b', again: false },
        canKeep: true,
      },
    });
    await fireEvent(await screen.findByTestId('prompt-dialog'), new Event('cancel', { cancelable: true }));
    expect(owner.asked()).toEqual([{ kind: 'answer', prompt: 6, answer: { kind: 'refuse' } }]);
  });
});

describe('dropped files', () => {
  const drop = (paths: string[]) => ({ kind: 'drop' as const, paths, x: 1, y: 1 });

  test('on the icon, or opened with the app, are pushed like those on the page', async () => {
    const { owner, screen } = await open(one());
    owner.wish = { archives: { paths: ['/x/app.tar', '/x/photo.jpg'] } };
    owner.listener.wished();
    expect((await screen.findByTestId('notice')).textContent).toContain('photo.jpg');
    await waitFor(() =>
      expect(owner.commands).toContainEqual(
        expect.objectContaining({ kind: 'push-archive', path: '/x/app.tar' }),
      ),
    );
  });

  test('with one registry are pushed at once', async () => {
    const { owner, screen } = await open(one());
    owner.listener.drop(drop(['/x/app.tar', '/x/photo.jpg']));
    expect(owner.asked()).toEqual([
      { kind: 'push-archive', path: '/x/app.tar', registry: 'cr.boss.org', reference: null },
    ]);
    expect((await screen.findByTestId('notice')).textContent).toContain('photo.jpg');
    await waitFor(() => expect(screen.getByTestId('app').dataset['view']).toBe('transfers'));
  });

  test('with several ask which', async () => {
    const { owner, screen, user } = await open(two());
    owner.listener.drop(drop(['/x/app.tar']));
    expect(((await screen.findByTestId('archive-path')) as HTMLInputElement).value).toBe('/x/app.tar');
    await user.click(screen.getAllByTestId('archive-registry')[1]!);
    await user.click(screen.getByTestId('archive-submit'));
    expect(owner.asked()).toEqual([
      { kind: 'push-archive', path: '/x/app.tar', registry: 'b.example', reference: null },
    ]);
  });

  test('that are no archives are refused while they hang there', async () => {
    const { owner, screen } = await open(one());
    owner.listener.drop({ kind: 'enter', paths: ['/x/photo.jpg'], x: 1, y: 1 });
    expect((await screen.findByTestId('drop-overlay')).dataset['verdict']).toBe('refused');
    owner.listener.drop({ kind: 'leave', paths: [], x: 0, y: 0 });
    await waitFor(() => expect(screen.queryByTestId('drop-overlay')).toBeNull());
    expect(owner.asked()).toEqual([]);
  });

  test('folders are judged by what the shell sees in them, as long as they hang there', async () => {
    const { owner, screen } = await open(one());
    const over = { kind: 'over' as const, paths: [], x: 2, y: 2 };
    const verdict = async () => (await screen.findByTestId('drop-overlay')).dataset['verdict'];
    for (const isLayout of [true, false]) {
      const folders = [{ path: '/x/layout', isLayout }];
      owner.listener.drop({ kind: 'enter', paths: ['/x/layout'], folders, x: 1, y: 1 });
      owner.listener.drop(over);
      expect(await verdict()).toBe(isLayout ? 'ok' : 'refused');
      owner.listener.drop({ kind: 'leave', paths: [], x: 0, y: 0 });
      await waitFor(() => expect(screen.queryByTestId('drop-overlay')).toBeNull());
    }
  });

  test('that left before their names came do not hang there for good', async () => {
    const { owner, screen, user } = await open(one());
    owner.listener.drop({ kind: 'leave', paths: [], x: 0, y: 0 });
    owner.listener.drop({ kind: 'enter', paths: ['/x/app.tar'], x: 1, y: 1 });
    await screen.findByTestId('drop-overlay');
    await user.pointer({ target: screen.getByTestId('app'), coords: { x: 5, y: 5 } });
    await waitFor(() => expect(screen.queryByTestId('drop-overlay')).toBeNull());
  });
});

test('the keyboard reaches every view and the main actions', async () => {
  const { screen, user } = await open(one());
  await user.keyboard('{Control>}3{/Control}');
  expect(screen.getByTestId('view-transfers')).toBeTruthy();
  await user.keyboard('/');
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('image-search')));
  await user.keyboard('{Control>}n{/Control}');
  expect(screen.getByTestId('add-dialog')).toBeTruthy();
});
