import { expect, test, vi } from 'vitest';
import type { Reply } from '../src/generated/Reply';
import { registry, snapshot, transfer } from '../src/mock/words';
import { Store } from '../src/state/store.svelte';
import { ScriptedOwner } from './owner';

const idle = (name: string) => registry(name, { kind: 'idle' });

test('events that come while the first snapshot is under way are not lost', async () => {
  const owner = new ScriptedOwner(snapshot({ sequence: 5 }));
  let answer!: (reply: Reply) => void;
  vi.spyOn(owner, 'dispatch').mockImplementation(() => new Promise((resolve) => (answer = resolve)));
  const store = new Store(owner);
  const started = store.start();
  await vi.waitFor(() => expect(answer).toBeDefined());
  owner.listener.event({ sequence: 5, change: { kind: 'registry', registry: idle('stale.example') } });
  owner.listener.event({ sequence: 6, change: { kind: 'registry', registry: idle('new.example') } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  answer({ kind: 'snapshot', snapshot: owner.snapshot });
  await started;
  expect(store.snapshot?.registries.map(({ spec }) => spec.name)).toEqual(['new.example']);
});

test('a gap asks for one snapshot, however many follow', async () => {
  const owner = new ScriptedOwner(snapshot({ sequence: 1 }));
  const store = new Store(owner);
  await store.start();
  owner.snapshot = snapshot({ sequence: 9, registries: [idle('missed.example')] });
  for (const sequence of [4, 7, 10]) {
    owner.listener.event({ sequence, change: { kind: 'transfer', transfer: transfer(sequence, {}) } });
  }
  await vi.waitFor(() => expect(store.snapshot?.registries).toHaveLength(1));
  owner.listener.event({ sequence: 20, change: { kind: 'config', error: null } });
  await vi.waitFor(() => expect(store.snapshot?.sequence).toBe(20));
  expect(owner.commands.filter(({ kind }) => kind === 'snapshot')).toHaveLength(2);
});

test('many events between two frames are shown at once', async () => {
  const owner = new ScriptedOwner(snapshot({ sequence: 1 }));
  const store = new Store(owner);
  await store.start();
  for (let n = 1; n <= 50; n++)
    owner.tell({ kind: 'transfer', transfer: transfer(1, { current: n, total: 100 }) });
  expect(store.snapshot?.transfers).toEqual([]);
  await vi.waitFor(() => expect(store.snapshot?.transfers[0]?.share).toBe(500));
});

test('no owner is said, and asked again on demand', async () => {
  const owner = new ScriptedOwner(snapshot({}));
  const dispatch = vi
    .spyOn(owner, 'dispatch')
    .mockRejectedValueOnce({ code: 'owner-gone', message: 'Gone.' });
  const store = new Store(owner);
  await store.start();
  expect(store.broken?.code).toBe('owner-gone');
  await store.retry();
  expect(store.broken).toBeNull();
  expect(store.snapshot).not.toBeNull();
  expect(dispatch).toHaveBeenCalledTimes(2);
});

test('what the person cancelled is no error', async () => {
  const owner = new ScriptedOwner(snapshot({}));
  const store = new Store(owner);
  owner.refuse('connect', { code: 'cancelled', message: 'Cancelled.' });
  expect(await store.attempt({ kind: 'connect', registry: 'a.example', hold: false })).toBe(false);
  expect(store.notice).toBeNull();
});
