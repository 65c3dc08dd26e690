import { expect, test } from 'vitest';
import type { Code } from '../src/generated/Code';
import { bytes, duration, percent, timeLeft, took } from '../src/format';
import { DIGEST, NOW, registry, transfer } from '../src/mock/words';
import { emptyForm, readForm } from '../src/state/add';
import { isAbsolute, looksLikeArchive } from '../src/state/archive';
import { imageRows, matching } from '../src/state/images';
import { nameFlaw } from '../src/state/name';
import { readOffer } from '../src/state/offer';
import { readPull } from '../src/state/pull';
import { pushedTo } from '../src/state/pushed';
import { flaw, nameThere, registryOf, split } from '../src/state/reference';
import { detour, suspicious } from '../src/state/route';
import { isRemoteEnd, parseSsh, sshText } from '../src/state/ssh';
import { image } from '../src/mock/words';

test.each(['88.88.88.88', 'dockercr@88.88.88.88', 'a@host:2222', '[::1]:22', '::1', 'DOMAIN\\u@host'])(
  'the SSH destination %s reads back as written',
  (text) => {
    const target = parseSsh(text);
    expect(target && sshText(target)).toBe(text);
  },
);

test.each(['', '-oProxyCommand=id', 'a@-x', 'host:0', 'host:99999', 'a b', '@host', '[::1', 'h:'])(
  '“%s” is no SSH destination',
  (text) => expect(parseSsh(text)).toBeNull(),
);

test('ssh:// is understood', () => {
  expect(parseSsh('ssh://a@b:22/')).toEqual({ host: 'b', user: 'a', port: 22 });
});

test('remote ends are a host and port or a path', () => {
  for (const good of ['127.0.0.1:5000', '[::1]:5000', '/run/registry.sock'])
    expect(isRemoteEnd(good)).toBe(true);
  for (const bad of ['', '5000', 'host:', ':5000', 'host:0', 'relative/path'])
    expect(isRemoteEnd(bad)).toBe(false);
});

test('names are host names with a dot', () => {
  expect(nameFlaw('CR.Boss.org ')).toBeNull();
  const bad = [
    '',
    'registry',
    'localhost',
    'x.localhost',
    '127.0.0.1',
    '10.0.0.300',
    'a..b',
    '-a.b',
    'a_b.c',
  ];
  for (const name of bad) expect(nameFlaw(name), name).not.toBeNull();
  expect(nameFlaw('cr.boss.org:5000')).toBe('has-port');
  expect(nameFlaw(`${'x'.repeat(64)}.org`)).toBe('too-long');
});

test('the form gives a target, or a sentence for each flaw', () => {
  const good = readForm(
    { ...emptyForm(), name: 'CR.boss.org', ssh: 'dockercr@88.88.88.88', sshPort: '2222', port: '5001' },
    [],
  );
  expect(good.target).toMatchObject({
    name: 'cr.boss.org',
    ssh: { host: '88.88.88.88', user: 'dockercr', port: 2222, identity: null, jump: null },
    remote: null,
    port: 5001,
    keepOpen: false,
    openAtStart: false,
    limits: { up: null, down: null },
  });
  const bad = readForm(
    {
      ...emptyForm(),
      name: 'cr.boss.org',
      ssh: 'h:22',
      sshPort: '23',
      port: 'x',
      remote: 'y',
      address: '10.0.0.1',
      gateway: '88.88.88.88',
    },
    ['cr.boss.org'],
  );
  expect(bad.target).toBeNull();
  expect(Object.keys(bad.flaws).toSorted()).toEqual([
    'address',
    'gateway',
    'name',
    'port',
    'remote',
    'sshPort',
  ]);
});

test('further hosts are read in their order, and share what is set for the registry', () => {
  const form = { ...emptyForm(), name: 'cr.boss.org', ssh: 'a', fallbacks: 'u@b:2222, c', identity: '/k' };
  const { target } = readForm(form, []);
  expect(target?.ssh).toMatchObject({ host: 'a', identity: '/k' });
  expect(target?.fallbacks).toMatchObject([
    { host: 'b', user: 'u', port: 2222, identity: '/k' },
    { host: 'c', identity: '/k' },
  ]);
  expect(readForm({ ...form, fallbacks: 'b, -o' }, []).flaws.fallbacks).toContain('“-o”');
  expect(readForm({ ...form, fallbacks: 'b, a' }, []).flaws.fallbacks).toContain('a is named twice');
});

test('a detour says which host, and why', () => {
  const error = (code: Code) => ({ code, message: '…' });
  const route = {
    ssh: { host: 'b' },
    passedOver: [{ ssh: { host: 'a' }, error: error('ssh-unreachable') }],
  };
  expect(detour(null)).toBeNull();
  expect(detour({ ...route, passedOver: [] })).toBeNull();
  expect(detour(route)).toBe('Via b, since a does not answer.');
  expect(suspicious(route)).toEqual([]);
  const twin = { ssh: { host: 'b', port: 2222 }, error: error('host-key-changed') };
  expect(detour({ ...route, passedOver: [twin] })).toContain('b:2222 shows a host key');
  expect(suspicious({ ...route, passedOver: [twin] })).toEqual([twin]);
});

test('what is offered is an address of this machine', () => {
  const read = (to: string, port = '') => readOffer({ ssh: 'root@prod', port, to }).spec;
  expect(read('')).toEqual({ ssh: parseSsh('root@prod'), port: 5000, to: '127.0.0.1:5000' });
  expect(read('5001', '5002')).toMatchObject({ port: 5002, to: '127.0.0.1:5001' });
  expect(read('localhost:5001')?.to).toBe('127.0.0.1:5001');
  expect(read('127.77.1.2:5000')?.to).toBe('127.77.1.2:5000');
  expect(read('[::1]:5000')?.to).toBe('[::1]:5000');
  for (const bad of ['host:5000', '127.0.0.1', '300.0.0.1:5000', '0']) expect(read(bad), bad).toBeNull();
  expect(Object.keys(readOffer({ ssh: '', port: '0', to: 'x' }).flaws).toSorted()).toEqual([
    'port',
    'ssh',
    'to',
  ]);
});

test('a registry is told from a repository as Docker tells them apart', () => {
  expect(split('cr.boss.org:5000/team/app:v1')).toEqual({ host: 'cr.boss.org:5000', rest: 'team/app:v1' });
  expect(split('team/app:v1')).toEqual({ host: null, rest: 'team/app:v1' });
  expect(split('localhost/app')).toEqual({ host: 'localhost', rest: 'app' });
  expect(nameThere('cr.boss.org:5000/app:v1')).toBe('app:v1');
});

test('references are judged by the grammar', () => {
  for (const good of ['app', 'team/app:v1', 'a__b/c-d.e:V1.0_x', `app@sha256:${'0'.repeat(64)}`]) {
    expect(flaw(good), good).toBeNull();
  }
  expect(['', 'App', 'a//b', 'app:', 'app:.x', 'app@sha256:12', 'a..b'].map(flaw)).toEqual([
    'empty',
    'uppercase',
    'repository',
    'tag',
    'tag',
    'digest',
    'repository',
  ]);
});

test('a pasted reference gets its registry and port', () => {
  const registries = [
    registry('cr.boss.org', { kind: 'idle' }),
    registry('b.example', { kind: 'idle' }, { port: 5001 }),
  ];
  expect(readPull('docker pull cr.boss.org/app:v1', registries).reference).toBe('cr.boss.org:5000/app:v1');
  expect(readPull(' b.example:5001/x ', registries).reference).toBe('b.example:5001/x');
  expect(readPull('app:v1', registries.slice(0, 1)).reference).toBe('cr.boss.org:5000/app:v1');
  expect(readPull('app:v1', registries).flaw).toContain('Begin with the registry');
  expect(readPull('ghcr.io/x/y', registries).flaw).toContain('ghcr.io');
  expect(registryOf('127.77.41.18:5000', registries)?.spec.name).toBe('cr.boss.org');
});

test('archives are known by their ending', () => {
  for (const good of ['/a/x.tar', 'C:\\x.TAR.GZ', '/x.tgz', '/x.tar.zst', '/x.tzst'])
    expect(looksLikeArchive(good), good).toBe(true);
  for (const bad of ['/a/.tar', '/a/x.zip', '/a/tar', '/a/x.tar.xz'])
    expect(looksLikeArchive(bad), bad).toBe(false);
  expect(['/x', 'C:\\x', '\\\\host\\x', 'x/y', '~/x'].map(isAbsolute)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('one row a name; search takes words in any order and ids', () => {
  const rows = imageRows([image(1, ['a:1', 'cr.boss.org:5000/team/b:2'], 1, 0), image(2, [], 1, 0)]);
  expect(rows.map(({ host, repository, label }) => [host, repository, label])).toEqual([
    [null, 'a', '1'],
    ['cr.boss.org:5000', 'team/b', '2'],
  ]);
  expect(matching(rows, '2 TEAM')).toHaveLength(1);
  expect(matching(rows, rows[0]!.image.id.slice(7, 19))).toHaveLength(2);
});

test('numbers read as people say them', () => {
  const plain = (text: string) => text.replaceAll('\u00a0', ' ');
  expect([0, 999, 1_000, 99_949, 99_950, 999_600, 1_000_000, 3.1e9].map((n) => plain(bytes(n)))).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '99.9 kB',
    '100 kB',
    '1.0 MB',
    '1.0 MB',
    '3.1 GB',
  ]);
  expect([31, 999, 4_000].map(took)).toEqual(['under a second', 'under a second', '4 s']);
  expect([4_000, 61_000, 7_500_000, 2 * 86_400_000].map(duration)).toEqual([
    '4 s',
    '1 min',
    '2 h 5 min',
    '2 days',
  ]);
  expect([3, 12, 57, 140, 5_000].map(timeLeft)).toEqual([
    'a few seconds left',
    'about 15 s left',
    'about 1 min left',
    'about 2 min left',
    'about 1 h 20 min left',
  ]);
  expect(plain(percent(0.999))).toBe('99 %');
});

test('an image is where it was pushed, not where its name points', () => {
  const registries = [
    registry('cr.boss.org', { kind: 'idle' }),
    registry('nexus.boss.org', { kind: 'idle' }),
  ];
  const built = { ...image(1, ['app:v1', 'cr.boss.org:5000/app:v1'], 1, 0), heldAt: [], created: NOW };
  expect(pushedTo(built, registries, []), 'a name is no push').toEqual([]);
  expect(pushedTo({ ...built, heldAt: ['nexus.boss.org/team/app'] }, registries, [])).toEqual([
    'nexus.boss.org',
  ]);
  const pushed = transfer(1, {
    kind: 'push',
    source: 'app:v1',
    registry: 'cr.boss.org',
    state: { kind: 'done', verified: { digest: DIGEST, atRegistry: true } },
    finished: NOW + 1,
  });
  expect(pushedTo(built, registries, [pushed])).toEqual(['cr.boss.org']);
  expect(pushedTo(built, registries, [{ ...pushed, finished: NOW - 1 }]), 'built anew since').toEqual([]);
  expect(pushedTo(built, registries, [{ ...pushed, state: { kind: 'cancelled' } }])).toEqual([]);
});
