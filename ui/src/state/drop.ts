// What happens to files that are dragged over the window and let go.

import { toUiError, type Drop } from '../backend/backend';
import { t } from '../strings';
import { fileName, looksLikeArchive } from './archive';
import { listed, type Refused } from './refused';
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
  store.dropTarget = null;
  if (store.snapshot === null) {
    store.wishes.later(drop.paths);
    return;
  }
  const { registries } = store.snapshot;
  const good = drop.paths.filter(looksLikeArchive);
  const bad = drop.paths.filter((path) => !looksLikeArchive(path)).map(fileName);
  const aimed = aim(drop.x, drop.y);

  if (registries.length === 0) {
    store.warn({ tone: 'error', text: t.archive.noRegistry });
    return;
  }
  const refused = bad.length > 0 ? t.archive.refused(listed(bad), bad.length) : null;
  if (refused !== null) store.warn({ tone: 'error', text: refused, code: 'archive-invalid' });
  if (good.length === 0) return;
  const registry = aimed ?? (registries.length === 1 ? registries[0]?.spec.name : undefined);
  if (registry === undefined) {
    // An open dialog holds words somebody typed; they are not thrown away for a drop.
    if (store.isAsking) store.wishes.later(good);
    else store.dialog = { kind: 'archive', paths: good };
    return;
  }
  void pushAll(store, good, registry, refused);
}

async function pushAll(
  store: Store,
  paths: string[],
  registry: string,
  before: string | null,
): Promise<void> {
  const refused: Refused[] = [];
  const push = (path: string) =>
    store.request({ kind: 'push-archive', path, registry, reference: null }).catch((thrown) => {
      refused.push({ name: fileName(path), error: toUiError(thrown) });
    });
  await Promise.all(paths.map(push));
  if (refused.length < paths.length) store.view = 'transfers';
  store.failAll(refused, before);
}
