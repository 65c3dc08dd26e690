// What goes beyond the two fields and the one button: every option a person can set in the window, from click to command.

import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { setupPlan } from '../src/mock/setup';
import { DIGEST, NOW, image, registry, snapshot, transfer } from '../src/mock/words';
import { open } from './owner';

const engine = {
  state: { kind: 'ready', name: 'Docker 20.10.24' } as const,
  images: [image(1, ['app:v1'], 5_000_000, 0)],
};
const one = () => snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })], engine });
const two = () =>
  snapshot({ ...one(), registries: [...one().registries, registry('b.example', { kind: 'idle' })] });
const value = (element: HTMLElement) => (element as HTMLInputElement).value;

describe('adding and changing a registry', () => {
  test('a private authority, a client certificate and a port at 127.0.0.1 are set, the files pointed at', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('add-registry'));
    await user.type(screen.getByTestId('add-name'), 'c.example');
    await user.type(screen.getByTestId('add-ssh'), 'host');
    await user.click(screen.getByTestId('add-advanced'));
    await user.type(screen.getByTestId('add-localhost-port'), '5001');
    await user.click(screen.getByTestId('add-ca-choose'));
    await user.click(screen.getByTestId('add-client-certificate-choose'));
    await user.click(screen.getByTestId('add-submit'));
    expect(screen.getByTestId('add-client-key-error').textContent).toContain('belong together');
    expect(owner.asked()).toEqual([]);
    await user.click(screen.getByTestId('add-client-key-choose'));
    await user.click(screen.getByTestId('add-submit'));
    expect(owner.dialogs.map((dialog) => dialog.split(':')[0])).toEqual([
      'certificate',
      'certificate',
      'key',
    ]);
    expect(owner.asked()).toMatchObject([
      {
        kind: 'add-registry',
        target: {
          localhostPort: 5001,
          ca: '/home/me/chosen.pem',
          clientCertificate: { certificate: '/home/me/chosen.pem', key: '/home/me/chosen.key' },
        },
      },
    ]);
  });

  test('an edit shows what is set, and takes it back', async () => {
    const state = one();
    Object.assign(state.registries[0]!.spec, {
      localhostPort: 5001,
      ca: '/ca.pem',
      clientCertificate: { certificate: '/c.pem', key: '/k.pem' },
    });
    const { owner, screen, user } = await open(state);
    await user.click(screen.getByTestId('more'));
    await user.click(screen.getByTestId('edit'));
    expect(value(screen.getByTestId('add-localhost-port'))).toBe('5001');
    expect(value(screen.getByTestId('add-client-key'))).toBe('/k.pem');
    for (const field of ['add-localhost-port', 'add-ca', 'add-client-certificate', 'add-client-key'])
      await user.clear(screen.getByTestId(field));
    await user.click(screen.getByTestId('add-submit'));
    expect(owner.asked()).toMatchObject([
      {
        kind: 'change-registry',
        was: 'cr.boss.org',
        target: { localhostPort: null, ca: null, clientCertificate: null },
      },
    ]);
  });

  test('how long its tunnel stays open is the settings’ figure unless it has one of its own, a day at most', async () => {
    const state = one();
    state.settings.lingerSeconds = 30;
    state.registries[0]!.spec.lingerSeconds = 30;
    const { owner, screen, user } = await open(state);
    await user.click(screen.getByTestId('more'));
    await user.click(screen.getByTestId('edit'));
    const field = screen.getByTestId('add-linger') as HTMLInputElement;
    expect([field.value, field.placeholder]).toEqual(['', '30']);
    await user.type(field, '86401');
    await user.click(screen.getByTestId('add-submit'));
    expect(screen.getByTestId('add-linger-error').textContent).toContain('86400 at most');
    await user.clear(field);
    await user.type(field, '86400');
    await user.click(screen.getByTestId('add-submit'));
    expect(owner.asked()).toMatchObject([{ target: { lingerSeconds: 86_400 } }]);
  });

  test('without a tunnel there is nothing to set about one', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('add-registry'));
    await user.type(screen.getByTestId('add-name'), 'nexus.example');
    await user.click(screen.getByTestId('add-advanced'));
    await user.type(screen.getByTestId('add-port'), '5003');
    await user.type(screen.getByTestId('add-url'), 'https://nexus.example:8443');
    expect(screen.queryByTestId('add-port')).toBeNull();
    expect(screen.queryByTestId('add-fallbacks')).toBeNull();
    await user.click(screen.getByTestId('add-submit'));
    expect(owner.asked()).toMatchObject([
      { target: { url: 'https://nexus.example:8443', ssh: { host: 'nexus.example' }, port: null } },
    ]);
  });

  test('the registry’s login comes next, if that is wanted', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('more'));
    await user.click(screen.getByTestId('edit'));
    await user.click(screen.getByTestId('add-login-next'));
    await user.click(screen.getByTestId('add-submit'));
    await user.type(await screen.findByTestId('login-user'), 'me');
    await user.type(screen.getByTestId('login-secret'), 'secret{Enter}');
    expect(owner.asked().at(-1)).toEqual({
      kind: 'login',
      registry: 'cr.boss.org',
      user: 'me',
      secret: 'secret',
    });
  });
});

test('a registry without a tunnel shows its address, and offers no tunnel', async () => {
  const state = one();
  state.registries[0]!.spec.url = 'https://nexus.example:8443';
  state.registries[0]!.aliasReady = true;
  const { screen } = await open(state);
  expect(screen.getByTestId('registry-url').textContent).toBe('https://nexus.example:8443');
  for (const absent of ['connect', 'registry-state', 'registry-host', 'fix-hosts'])
    expect(screen.queryByTestId(absent), absent).toBeNull();
});

describe('what a person decides about a transfer', () => {
  test('the road and the packing of a push', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('push'));
    await user.click(screen.getByTestId('push-more'));
    await user.selectOptions(screen.getByTestId('push-road'), 'direct');
    await user.selectOptions(screen.getByTestId('push-compression'), 'zstd');
    await user.click(screen.getByTestId('push-submit'));
    expect(owner.asked()).toMatchObject([
      { kind: 'push', image: 'app:v1', options: { road: 'direct', compression: 'zstd' } },
    ]);
  });

  test('all that an engine has of an image, unless the engine sends it', async () => {
    const { owner, screen, user } = await open(one());
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('push'));
    await user.click(screen.getByTestId('push-more'));
    await user.click(screen.getByTestId('push-all-platforms'));
    await user.selectOptions(screen.getByTestId('push-road'), 'engine');
    const platforms = () => screen.getByTestId('push-all-platforms') as HTMLInputElement;
    expect([platforms().disabled, platforms().checked]).toEqual([true, false]);
    await user.selectOptions(screen.getByTestId('push-road'), 'auto');
    expect([platforms().disabled, platforms().checked]).toEqual([false, true]);
    await user.click(screen.getByTestId('push-submit'));
    expect(owner.asked()).toMatchObject([{ kind: 'push', extent: { allPlatforms: true, referrers: false } }]);
  });

  test('a push to every host of a registry is one transfer each', async () => {
    const state = one();
    state.registries[0]!.spec.fallbacks = [{ host: 'b' }];
    const { owner, screen, user } = await open(state);
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('push'));
    await user.click(screen.getByTestId('push-everywhere'));
    await user.click(screen.getByTestId('push-submit'));
    const { ssh } = state.registries[0]!.spec;
    await waitFor(() => expect(owner.asked()).toHaveLength(2));
    expect(owner.asked()).toMatchObject([
      { kind: 'push', host: ssh },
      { kind: 'push', host: { host: 'b' } },
    ]);
  });

  test('an image is put into the Docker of hosts without a registry', async () => {
    const { owner, screen, user } = await open(snapshot({ engine }));
    await user.click(screen.getByTestId('nav-images'));
    await user.click(screen.getByTestId('image-more'));
    await user.click(screen.getByTestId('ship'));
    await user.click(screen.getByTestId('ship-submit'));
    expect(screen.getByTestId('ship-host-error').textContent).toContain('user@host');
    await user.type(screen.getByTestId('ship-host'), 'deploy@prod, -o');
    expect(screen.getByTestId('ship-host-error').textContent).toContain('“-o”');
    await user.clear(screen.getByTestId('ship-host'));
    await user.type(screen.getByTestId('ship-host'), 'deploy@prod, deploy@test:2222{Enter}');
    await waitFor(() => expect(screen.queryByTestId('ship-dialog')).toBeNull());
    expect(owner.asked()).toEqual([
      { kind: 'ship', image: 'app:v1', host: { host: 'prod', user: 'deploy', port: null }, reference: null },
      { kind: 'ship', image: 'app:v1', host: { host: 'test', user: 'deploy', port: 2222 }, reference: null },
    ]);
    expect(screen.getByTestId('app').dataset['view']).toBe('transfers');
  });

  test('an image is copied between registries, with all its platforms and signatures', async () => {
    const { owner, store, screen, user } = await open(two());
    store.dialog = { kind: 'copy', from: 'cr.boss.org:5000/team/app:v1' };
    await screen.findByTestId('copy-dialog');
    expect(value(screen.getByTestId('copy-from'))).toBe('cr.boss.org:5000/team/app:v1');
    await user.click(screen.getByTestId('copy-all-platforms'));
    await user.click(screen.getByTestId('copy-referrers'));
    await user.click(screen.getByTestId('copy-submit'));
    expect(owner.asked()).toEqual([
      {
        kind: 'copy',
        from: 'cr.boss.org:5000/team/app:v1',
        to: 'b.example:5000/team/app:v1',
        extent: { allPlatforms: true, referrers: true },
      },
    ]);
  });

  test('a copy onto itself is refused before it begins; another name is none', async () => {
    const { owner, store, screen, user } = await open(one());
    store.dialog = { kind: 'copy', from: 'cr.boss.org:5000/app:v1' };
    await screen.findByTestId('copy-dialog');
    await user.click(screen.getByTestId('copy-submit'));
    expect(screen.getByTestId('copy-name-error').textContent).toContain('already');
    expect(owner.asked()).toEqual([]);
    await user.type(screen.getByTestId('copy-name'), 'app:v2{Enter}');
    expect(owner.asked()).toMatchObject([{ from: 'cr.boss.org:5000/app:v1', to: 'cr.boss.org:5000/app:v2' }]);
  });

  test('an image is saved where the dialog says, whole, or as docker save writes it', async () => {
    const { owner, store, screen, user } = await open(one());
    store.dialog = { kind: 'pull', text: 'cr.boss.org/app:v1', toFile: true };
    await screen.findByTestId('pull-dialog');
    await user.click(screen.getByTestId('pull-choose'));
    expect(owner.dialogs[0]).toContain('app-v1.tar');
    await user.click(screen.getByTestId('pull-all-platforms'));
    expect(screen.queryByTestId('pull-platform'), 'one platform of all').toBeNull();
    await user.click(screen.getByTestId('pull-format-docker'));
    expect(screen.queryByTestId('pull-all-platforms'), 'docker save holds one image').toBeNull();
    await user.type(screen.getByTestId('pull-platform'), 'linux/arm64');
    await user.click(screen.getByTestId('pull-submit'));
    expect(owner.asked()).toEqual([
      {
        kind: 'pull-archive',
        reference: 'cr.boss.org:5000/app:v1',
        path: '/home/me/app-v1.tar',
        platform: 'linux/arm64',
        format: 'docker',
      },
    ]);
  });

  test('one of several images in an archive', async () => {
    const { owner, screen, user } = await open(one());
    await user.keyboard('{Control>}o{/Control}');
    await user.click(screen.getByTestId('archive-choose'));
    await user.click(screen.getByTestId('archive-more'));
    await user.type(screen.getByTestId('archive-image'), 'app:v2');
    await user.click(screen.getByTestId('archive-submit'));
    expect(owner.asked()).toEqual([
      {
        kind: 'push-archive',
        path: '/home/me/chosen.tar',
        registry: 'cr.boss.org',
        reference: null,
        image: 'app:v2',
      },
    ]);
  });

  test('all of each of several archives', async () => {
    const { owner, store, screen, user } = await open(one());
    const paths = ['/home/me/a.tar', '/home/me/b.tar'];
    store.dialog = { kind: 'archive', paths };
    await user.click(await screen.findByTestId('archive-more'));
    expect(screen.queryByTestId('archive-image')).toBeNull();
    await user.click(screen.getByTestId('archive-all-platforms'));
    await user.click(screen.getByTestId('archive-referrers'));
    await user.click(screen.getByTestId('archive-submit'));
    await waitFor(() => expect(owner.asked()).toHaveLength(2));
    const extent = { allPlatforms: true, referrers: true };
    expect(owner.asked()).toMatchObject(paths.map((path) => ({ kind: 'push-archive', path, extent })));
  });

  test('a row names the place: the host of a shipment, and which of several a push goes to', async () => {
    const waiting = { kind: 'waiting' } as const;
    const https = registry('nexus.example', { kind: 'idle' }, { url: 'https://nexus.example:8443' });
    const host = { host: 'prod', user: 'deploy', port: 2222 };
    const reference = 'cr.boss.org:5000/app:v1';
    const { screen, user } = await open(
      snapshot({
        ...one(),
        registries: [...one().registries, https],
        transfers: [
          transfer(1, {
            kind: 'ship',
            registry: 'prod',
            host,
            source: 'app:v1',
            reference: 'app:v1',
            state: waiting,
          }),
          transfer(2, {
            kind: 'ship',
            registry: 'prod',
            host,
            source: 'app:v1',
            reference: 'app:v2',
            state: waiting,
          }),
          transfer(3, { reference, host: { host: 'b.example' }, state: waiting }),
          transfer(4, { reference, registry: 'nexus.example', state: waiting }),
        ],
      }),
    );
    await user.click(screen.getByTestId('nav-transfers'));
    const where = screen
      .getAllByTestId('transfer-where')
      .map(({ textContent }) => textContent.replaceAll(/\s+/g, ' ').trim());
    expect(where).toEqual([
      'to the Docker of deploy@prod:2222',
      'to the Docker of deploy@prod:2222 as app:v2',
      `to ${reference} at b.example`,
      `to ${reference}`,
    ]);
    const tunnel = screen
      .getAllByTestId('transfer-row')
      .map(({ textContent }) => textContent.includes('Waiting for the tunnel'));
    expect(tunnel).toEqual([false, false, true, false]);
  });

  test('why that road was taken is said', async () => {
    const why = 'Directly: the registry has every layer already.';
    const { screen, user } = await open(snapshot({ transfers: [transfer(1, { why })] }));
    await user.click(screen.getByTestId('nav-transfers'));
    expect(screen.getByTestId('transfer-why').textContent).toContain(why);
  });

  test('everything that failed is tried again at once', async () => {
    const error = { code: 'ssh-lost', message: 'Lost.' } as const;
    const failed = (id: number) => transfer(id, { state: { kind: 'failed', error }, finished: NOW });
    const { owner, screen, user } = await open(snapshot({ transfers: [failed(1), failed(2)] }));
    await user.click(screen.getByTestId('nav-transfers'));
    await user.click(screen.getByTestId('retry-all'));
    expect(owner.asked()).toEqual([{ kind: 'retry-all' }]);
    await user.keyboard('{Control>}k{/Control}');
    await user.type(screen.getByTestId('palette-input'), 'try all again{Enter}');
    expect(owner.asked()).toHaveLength(2);
  });

  test('what is done can be told from what failed by its history', async () => {
    const verified = { digest: DIGEST, atRegistry: true };
    const done = transfer(1, { state: { kind: 'done', verified }, finished: NOW, source: 'old:v1' });
    const { screen, user } = await open(snapshot({ transfers: [done] }));
    await user.click(screen.getByTestId('nav-transfers'));
    expect(screen.getByTestId('transfer-group').dataset['group']).toBe('done');
    expect(screen.getByTestId('transfer-title').textContent).toContain('old:v1');
  });
});

describe('the team file', () => {
  test('goes to the disk where the person says', async () => {
    const { owner, screen, user } = await open(one());
    owner.answers['export-registries'] = () => ({ kind: 'team-file', text: 'dockline-team = 1\n' });
    await user.click(screen.getByTestId('team-open'));
    expect((await screen.findByTestId('team-text')).textContent).toContain('dockline-team = 1');
    await user.click(screen.getByTestId('team-submit'));
    expect((await screen.findByTestId('team-written')).textContent).toContain('/home/me/dockline-team.toml');
  });

  test('that cannot be written is said, and stays open', async () => {
    const { owner, screen, user } = await open(one());
    owner.answers['export-registries'] = () => ({ kind: 'team-file', text: 'dockline-team = 1\n' });
    owner.saveTeamFile = () => Promise.reject({ code: 'file-io', message: 'No room.' });
    await user.click(screen.getByTestId('team-open'));
    await screen.findByTestId('team-text');
    await user.click(screen.getByTestId('team-submit'));
    expect((await screen.findByTestId('team-error')).dataset['code']).toBe('file-io');
    expect(screen.queryByTestId('team-written')).toBeNull();
  });

  test('comes from the disk, is shown, and then taken over', async () => {
    const { owner, screen, user } = await open(one());
    const target = { name: 'b.example', ssh: { host: 'b' }, fallbacks: [] };
    owner.answers['plan-import'] = () => ({
      kind: 'import-plan',
      plan: {
        summary: '1 registry will be added.',
        entries: [
          {
            registry: 'b.example',
            target: target as never,
            verdict: { kind: 'add' },
            present: null,
            warnings: [],
          },
        ],
      },
    });
    await user.click(screen.getByTestId('team-open'));
    await user.click(screen.getByTestId('team-in'));
    await user.upload(screen.getByTestId('team-choose'), new File(['text of the file'], 'team.toml'));
    await screen.findByTestId('team-entry');
    await user.click(screen.getByTestId('team-submit'));
    expect(owner.asked().at(-1)).toEqual({
      kind: 'import-registries',
      text: 'text of the file',
      registries: ['b.example'],
    });
  });

  test('shows all that decides where a push goes, and what there is to think about', async () => {
    const { owner, screen, user } = await open(one());
    const ssh = { user: 'me', host: 'prod.boss.org', jump: 'gate:2222' };
    const plain = { ssh: { host: 'h' }, fallbacks: [], remote: '127.0.0.1:5000', port: 5000 };
    const far = { ssh, fallbacks: [{ host: 'b' }], remote: 'attacker.example:80', port: 5001 };
    const direct = { ...plain, url: 'https://ghcr.io' };
    const warnings = ['It goes on to another machine.', 'A login goes with it.'];
    owner.answers['plan-import'] = () => ({
      kind: 'import-plan',
      plan: {
        summary: '3 registries will be added.',
        entries: [plain, far, direct].map((target, at) => ({
          registry: `r${at}.example`,
          target: target as never,
          verdict: { kind: 'add' } as const,
          present: null,
          warnings: target === far ? warnings : [],
        })),
      },
    });
    await user.click(screen.getByTestId('team-open'));
    await user.click(screen.getByTestId('team-in'));
    await user.upload(screen.getByTestId('team-choose'), new File(['text of the file'], 'team.toml'));
    const ways = (await screen.findAllByTestId('team-way')).map((way) => way.textContent);
    expect(ways).toEqual([
      'by ssh h',
      'by ssh me@prod.boss.org, or b, through gate:2222, on to attacker.example:80, at port 5001 here',
      'at https://ghcr.io, without a tunnel',
    ]);
    const warned = screen.getAllByTestId('team-warning');
    expect(warned.map((warning) => warning.textContent?.trim())).toEqual(warnings);
    const entry = screen.getAllByTestId('team-entry')[1];
    for (const warning of warned) expect(entry?.contains(warning)).toBe(true);
  });
});

test('a plan says where Dockline listens, and what this engine has to call the registry', async () => {
  const { owner, screen, user } = await open(one());
  const plan = setupPlan('needed', 'apply');
  plan.listens = [{ registry: 'cr.boss.org', port: 5001, why: 'The engine sees nothing else.' }];
  plan.authorities = [{ registry: 'cr.boss.org', authority: 'host.docker.internal:5001' }];
  owner.answers['plan-setup'] = () => ({ kind: 'setup-plan', plan });
  await user.click(screen.getByTestId('setup-open'));
  expect((await screen.findByTestId('setup-listens')).textContent).toContain('127.0.0.1:5001');
  expect(screen.getByTestId('setup-called').textContent).toContain('host.docker.internal:5001');
});

test('an offer may outlive Dockline', async () => {
  const { owner, screen, user } = await open(one());
  await user.click(screen.getByTestId('offer-registry'));
  await user.type(screen.getByTestId('offer-ssh'), 'root@prod');
  await user.click(screen.getByTestId('offer-keep'));
  await user.click(screen.getByTestId('offer-submit'));
  expect(owner.asked()).toMatchObject([{ kind: 'offer', keep: true }]);
});

test('the doctor says what it leaves behind, with the test of bytes and without', async () => {
  const { owner, screen, user } = await open(one());
  await user.click(screen.getByTestId('nav-doctor'));
  expect(screen.getByTestId('doctor-leaves').textContent).toContain('leaves a few dozen bytes');
  await user.click(screen.getByTestId('doctor-round-trip'));
  expect(screen.getByTestId('doctor-leaves').textContent).toContain('nothing is changed');
  await user.click(screen.getByTestId('doctor-start'));
  expect(owner.asked()).toMatchObject([{ kind: 'doctor', roundTrip: false }]);
});

test('buttons say which keys do the same', async () => {
  const { screen } = await open(one());
  expect(screen.getByTestId('add-registry').getAttribute('aria-keyshortcuts')).toBe('Control+N');
  expect(screen.getByTestId('nav-images').title).toBe('Ctrl+2');
});

test('the keys that a menu shows do the same, in the menu and wherever the focus is in the card', async () => {
  const { screen, user } = await open(one());
  await user.click(screen.getByTestId('more'));
  expect(screen.getByTestId('edit').textContent).toBe('Edit…F2');
  expect(screen.getByTestId('edit').getAttribute('aria-keyshortcuts')).toBe('F2');
  await user.keyboard('{Control>}d{/Control}');
  expect(screen.queryByRole('menu')).toBeNull();
  await user.click(within(await screen.findByTestId('add-dialog')).getByText('Cancel'));

  screen.getByTestId('connect').focus();
  await user.keyboard('{F2}');
  expect(value(await screen.findByTestId('add-name'))).toBe('cr.boss.org');
  await user.click(screen.getByTestId('add-cancel'));
  screen.getByTestId('connect').focus();
  await user.keyboard('{Delete}');
  await screen.findByTestId('confirm-dialog');
  await user.click(screen.getByTestId('confirm-cancel'));

  // Elsewhere they mean nothing.
  screen.getByTestId('add-registry').focus();
  await user.keyboard('{Delete}{F2}');
  expect(document.querySelector('dialog')).toBeNull();
});

test('Copy copies the name of the image whose row has the focus, unless text is marked', async () => {
  const { screen, user } = await open(one());
  await user.click(screen.getByTestId('nav-images'));
  const copied = vi.spyOn(navigator.clipboard, 'writeText');
  screen.getByTestId('push').focus();
  await user.keyboard('{Control>}c{/Control}');
  await waitFor(() => expect(copied).toHaveBeenCalledWith('app:v1'));
  getSelection()?.selectAllChildren(screen.getByTestId('image-row'));
  await user.keyboard('{Control>}c{/Control}');
  expect(copied).toHaveBeenCalledTimes(1);
});
