import { expect, test } from 'vitest';
import type { Change } from '../src/generated/Change';
import { layer, registry, snapshot, transfer } from '../src/mock/words';
import { order, reduce } from '../src/state/reducer';

const start = () =>
  snapshot({
    sequence: 10,
    registries: [registry('a.example', { kind: 'idle' }), registry('b.example', { kind: 'idle' })],
    transfers: [transfer(1, {}), transfer(2, {})],
  });

test('an event replaces the whole object, in its place, and leaves the others as they were', () => {
  const before = start();
  const after = reduce(before, {
    sequence: 11,
    change: { kind: 'registry', registry: registry('a.example', { kind: 'closing' }) },
  });
  expect(after.registries.map((r) => [r.spec.name, r.tunnel.state.kind])).toEqual([
    ['a.example', 'closing'],
    ['b.example', 'idle'],
  ]);
  expect(after.registries[1]).toBe(before.registries[1]);
  expect(after.transfers).toBe(before.transfers);
  expect(after.sequence).toBe(11);
  expect(before.registries[0]?.tunnel.state.kind).toBe('idle');
});

test('something new is added at the end; something gone is taken out', () => {
  const changes: Change[] = [
    { kind: 'registry', registry: registry('c.example', { kind: 'idle' }) },
    { kind: 'registry-gone', name: 'a.example' },
    { kind: 'transfer', transfer: transfer(3, {}) },
    { kind: 'transfer-gone', id: 1 },
    {
      kind: 'prompt',
      prompt: {
        id: 5,
        registry: 'b.example',
        question: { kind: 'passphrase', key: 'k', again: false },
        canKeep: false,
      },
    },
    { kind: 'prompt-gone', id: 5 },
    { kind: 'engine', engine: { state: { kind: 'unknown' }, images: [] } },
    { kind: 'config', error: { code: 'config-invalid', message: 'Line 1.' } },
  ];
  const after = changes.reduce((state, change, at) => reduce(state, { sequence: 11 + at, change }), start());
  expect(after.registries.map((r) => r.spec.name)).toEqual(['b.example', 'c.example']);
  expect(after.transfers.map((t) => t.id)).toEqual([2, 3]);
  expect(after.prompts).toEqual([]);
  expect(after.engine.state.kind).toBe('unknown');
  expect(after.configError?.code).toBe('config-invalid');
  expect(after.sequence).toBe(18);
});

test('layers that are as they were keep their identity, so that only the others are drawn anew', () => {
  const layers = (current: number) => [
    layer(1, { kind: 'exists' }, 0, 10),
    layer(2, { kind: 'transferring' }, current, 100),
    layer(3, { kind: 'retrying', seconds: 3 }, 0, 10),
  ];
  const before = snapshot({ sequence: 10, transfers: [transfer(1, { layers: layers(5) })] });
  const change: Change = { kind: 'transfer', transfer: transfer(1, { layers: layers(6), current: 6 }) };
  const after = reduce(before, { sequence: 11, change });
  const [old, now] = [before.transfers[0]!.layers, after.transfers[0]!.layers];
  expect(now[0]).toBe(old[0]);
  expect(now[1]?.current).toBe(6);
  expect(after.transfers[0]?.current).toBe(6);
  const sooner = layers(6).with(2, layer(3, { kind: 'retrying', seconds: 2 }, 0, 10));
  const later = reduce(after, {
    sequence: 12,
    change: { kind: 'transfer', transfer: transfer(1, { layers: sooner }) },
  });
  expect(later.transfers[0]?.layers[2]?.state).toEqual({ kind: 'retrying', seconds: 2 });
});

test('an event that the snapshot has already changes nothing', () => {
  const before = start();
  const event = { sequence: 10, change: { kind: 'registry-gone', name: 'a.example' } as const };
  expect(order(before, event)).toBe('stale');
  expect(reduce(before, event)).toBe(before);
});

test('missing numbers are a gap, and the event still counts', () => {
  const event = { sequence: 13, change: { kind: 'registry-gone', name: 'a.example' } as const };
  expect(order(start(), event)).toBe('gap');
  expect(reduce(start(), event).registries).toHaveLength(1);
});

test('numbers that a later event replaces are no gap', () => {
  const change = { kind: 'registry-gone', name: 'a.example' } as const;
  expect(order(start(), { sequence: 13, after: 10, change })).toBe('next');
  expect(order(start(), { sequence: 13, after: 8, change })).toBe('next');
  expect(order(start(), { sequence: 13, after: 11, change })).toBe('gap');
});

test('a resync replaces everything, also with smaller numbers', () => {
  const other = snapshot({ sequence: 2 });
  const event = { sequence: 2, change: { kind: 'resync', snapshot: other } as const };
  expect(order(start(), event)).toBe('next');
  expect(reduce(start(), event)).toBe(other);
});
