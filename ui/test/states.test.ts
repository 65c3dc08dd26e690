import { expect, test } from 'vitest';
import { DIGEST, NOW, SECOND, layer, lease, registry, snapshot, transfer } from '../src/mock/words';
import { announcements } from '../src/state/announce';
import { overall } from '../src/state/groups';
import { crossed, isFinal, layerFraction, shareOf, skippedBytes } from '../src/state/progress';
import { canPause, canRetry } from '../src/state/retry';
import { actions, holders, others, stateDetail, tunnelError } from '../src/state/tunnel';

const error = { code: 'ssh-auth', message: 'No key was accepted.' } as const;

test('a bar shows the share that the owner tells, and nothing to measure is no number, not zero', () => {
  expect(shareOf(transfer(1, { current: 10, total: 1000, share: 500 }))).toBe(0.5);
  expect(
    shareOf(transfer(1, { state: { kind: 'done', verified: { digest: DIGEST, atRegistry: true } } })),
  ).toBe(1);
  expect(shareOf(transfer(1, { total: 0 }))).toBeNull();
});

test('all transfers as one go by their shares, and never back', () => {
  const half = transfer(1, { current: 10, total: 1000, share: 500 });
  const first = overall([half], null);
  expect(first?.share).toBe(0.5);
  const joined = overall([half, transfer(2, { current: 0, total: 3000, share: 0 })], first);
  expect(joined?.share).toBe(0.5);
  const later = overall([half, transfer(2, { current: 3000, total: 3000, share: 995 })], joined);
  expect(later?.share).toBeCloseTo((0.5 * 1000 + 0.995 * 3000) / 4000);
});

test('what an engine pushes without telling of bytes is counted on the line', () => {
  expect(crossed(transfer(1, { sent: 41, total: 0 }))).toBe(41);
  expect(crossed(transfer(1, { sent: 41, total: 100, current: 50 }))).toBe(0);
});

test('layers that need not travel are full and counted as skipped', () => {
  const layers = [
    layer(1, { kind: 'exists' }, 0, 7),
    layer(2, { kind: 'mounted', from: 'x' }, 0, 5),
    layer(3, { kind: 'transferring' }, 2, 8),
    layer(4, { kind: 'transferring' }, 2, null),
    layer(5, { kind: 'retrying', seconds: 3 }, 0, 8),
  ];
  expect(layers.map(layerFraction)).toEqual([1, 1, 0.25, null, 0]);
  expect(skippedBytes(transfer(1, { layers }))).toBe(12);
});

test('each state offers what makes sense in it', () => {
  const offer = (state: Parameters<typeof registry>[1], mine = false) => {
    const view = registry('a.example', state);
    if (mine) view.tunnel.leases = [lease({ kind: 'manual' })];
    const { connect, disconnect } = actions(view);
    return [connect, disconnect];
  };
  expect(offer({ kind: 'idle' })).toEqual(['connect', null]);
  expect(offer({ kind: 'connecting', since: NOW })).toEqual([null, 'stop']);
  expect(offer({ kind: 'up', since: NOW }, true)).toEqual([null, 'disconnect']);
  expect(offer({ kind: 'up', since: NOW })).toEqual(['keepOpen', 'disconnect']);
  expect(offer({ kind: 'reconnecting', failures: 1, retryAt: NOW, error })).toEqual([null, 'stop']);
  expect(offer({ kind: 'lingering', until: NOW })).toEqual(['keepOpen', 'closeNow']);
  expect(offer({ kind: 'closing' })).toEqual([null, null]);
  expect(offer({ kind: 'failed', error })).toEqual(['again', null]);
});

test('states say since when and until when', () => {
  expect(stateDetail({ kind: 'up', since: NOW - 90 * SECOND }, NOW)).toBe('for 1 min');
  expect(stateDetail({ kind: 'lingering', until: NOW + 7 * SECOND }, NOW)).toContain('7 s');
  expect(stateDetail({ kind: 'reconnecting', failures: 2, retryAt: NOW + 4 * SECOND, error }, NOW)).toContain(
    'in 4 s',
  );
  expect(stateDetail({ kind: 'reconnecting', failures: 2, retryAt: NOW - 1, error }, NOW)).toBe('attempt 3');
});

test('the tunnel’s own error comes before the listener’s', () => {
  const view = registry('a.example', { kind: 'failed', error });
  view.tunnel.listenerError = { code: 'port-in-use', message: 'Taken.' };
  expect(tunnelError(view)?.code).toBe('ssh-auth');
  expect(tunnelError({ ...view, tunnel: { ...view.tunnel, state: { kind: 'idle' } } })?.code).toBe(
    'port-in-use',
  );
});

test('a tunnel that is up but leads nowhere says so', () => {
  const closed = registry('a.example', { kind: 'up', since: NOW });
  closed.tunnel.forwardError = { code: 'remote-closed', message: 'Nothing listens there.' };
  expect(tunnelError(closed)?.code).toBe('remote-closed');
});

test('holders are named, and equal ones counted', () => {
  const leases = [
    lease({ kind: 'manual' }),
    lease({ kind: 'transfer', id: 4 }),
    lease({ kind: 'connection', peer: '127.0.0.1:1' }, 0, 'dockerd'),
    lease({ kind: 'connection', peer: '127.0.0.1:2' }, 0, 'dockerd'),
    lease({ kind: 'connection', peer: '127.0.0.1:3' }),
  ];
  const texts = holders(leases, [transfer(4, { source: 'app:v1' })]).map(({ text }) => text);
  expect(texts).toEqual(['you', 'the push of app:v1', 'dockerd × 2', 'a program']);
  expect(others(leases)).toHaveLength(4);
});

test('ends and beginnings are spoken, progress is not', () => {
  const before = snapshot({
    registries: [registry('a.example', { kind: 'idle' })],
    transfers: [transfer(1, { source: 'app' })],
  });
  const after = snapshot({
    registries: [registry('a.example', { kind: 'failed', error })],
    transfers: [transfer(1, { source: 'app', current: 5 }), transfer(2, { source: 'web', kind: 'pull' })],
  });
  expect(announcements(before, after)).toEqual(['a.example failed: No key was accepted.', 'Pulling web.']);
});

test('what was halted is said to go on', () => {
  const halted = snapshot({ transfers: [transfer(1, { source: 'app', state: { kind: 'paused' } })] });
  const goes = snapshot({ transfers: [transfer(1, { source: 'app', state: { kind: 'waiting' } })] });
  expect(announcements(halted, goes)).toEqual(['app is resumed.']);
  expect(announcements(goes, snapshot({ transfers: [transfer(1, { source: 'app' })] }))).toEqual([]);
});

test('what ended without an image can be done again, an archive’s as well; what moves can be halted', () => {
  const failed = transfer(1, { state: { kind: 'failed', error } });
  expect(isFinal(failed)).toBe(true);
  expect(canRetry(failed)).toBe(true);
  expect(canRetry({ ...failed, road: 'direct' })).toBe(true);
  expect(canRetry({ ...failed, state: { kind: 'running' } })).toBe(false);
  expect(canPause({ ...failed, state: { kind: 'running' }, road: 'direct' })).toBe(true);
  expect(canPause({ ...failed, state: { kind: 'running' }, road: 'engine' })).toBe(false);
  expect(canPause({ ...failed, state: { kind: 'waiting' }, road: 'engine' })).toBe(true);
  expect(canPause(failed)).toBe(false);
});
