// What happens to files that are dragged over the window and let go.

import type { Drop } from '../backend/backend';
import { t } from '../strings';
import { fileName, looksLikeArchive } from './archive';
import type { Store } from './store.svelte';

export type Verdict = 'ok' | 'refused' | 'no-registry';

/** Whether letting go would do anything. Paths may not be known before. */
export function verdict(paths: readonly string[], registries: number): Verdict {
  if (registries === 0) return 'no-registry';
  return paths.length === 0 || paths.some(looksLikeArchive) ? 'ok' : 'refused';
}

/** The registry whose card is at that point of the window. */
export function aim(x: number, y: number): string | null {
  const card = document.elementFromPoint?.(x, y)?.closest<HTMLElement>('[data-drop-registry]');
  return card?.dataset['dropRegistry'] ?? null;
}

/** Pushes what can be pushed, asks where if that is open, and says why the rest is not. */
export function letGo(store: Store, drop: Drop): void {
  const registries = store.snapshot?.registries ?? [];
  const good = drop.paths.filter(looksLikeArchive);
  const bad = drop.paths.filter((path) => !looksLikeArchive(path));
  const aimed = aim(drop.x, drop.y);
  store.dropTarget = null;

  if (registries.length === 0) {
    store.notice = { tone: 'error', text: t.archive.noRegistry };
    return;
  }
  if (bad.length > 0) {
    store.notice = {
      tone: 'error',
      text: t.archive.refused(t.list(bad.map(fileName))),
      code: 'archive-invalid',
    };
  }
  if (good.length === 0) return;
  const registry = aimed ?? (registries.length === 1 ? registries[0]?.spec.name : undefined);
  if (registry === undefined) {
    // An open dialog holds words somebody typed; they are not thrown away for a drop.
    store.dialog ??= { kind: 'archive', paths: good };
    return;
  }
  void pushAll(store, good, registry);
}

async function pushAll(store: Store, paths: string[], registry: string): Promise<void> {
  const sent = await Promise.all(
    paths.map((path) => store.attempt({ kind: 'push-archive', path, registry, reference: null })),
  );
  if (sent.some(Boolean)) store.view = 'transfers';
}
