// What happens to files that are dragged over the window and let go.

import { toUiError, type Drop, type Dropped } from '../backend/backend';
import { t } from '../strings';
import { fileName, judged } from './archive';
import type { Refused } from './refused';
import type { Store } from './store.svelte';

/** How long an answer may take until the page is shown where an archive stands that is still read, in milliseconds. */
const MOMENT = 250;

export type Verdict = 'ok' | 'refused' | 'no-registry';

/** Whether letting go would do anything. Paths may not be known before. */
export function verdict(dropped: Dropped, registries: number): Verdict {
  if (registries === 0) return 'no-registry';
  return dropped.paths.length === 0 || judged(dropped).good.length > 0 ? 'ok' : 'refused';
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
    store.wishes.later(drop);
    return;
  }
  // Nobody who opens a window expects that it pushes by itself what another one was closed over.
  const { isLeft = false } = drop;
  const { registries } = store.snapshot;
  const { good, refusal } = judged(drop);
  const aimed = aim(drop.x, drop.y);

  if (registries.length === 0) {
    store.warn({ tone: 'error', text: t.archive.noRegistry });
    return;
  }
  if (refusal !== null) store.warn({ tone: 'error', text: refusal, code: 'archive-invalid' });
  if (good.length === 0) return;
  const registry = aimed ?? (registries.length === 1 ? registries[0]?.spec.name : undefined);
  if (registry === undefined || isLeft) {
    // An open dialog holds words somebody typed; they are not thrown away for a drop.
    if (store.isAsking) store.wishes.later({ ...drop, paths: good });
    else store.dialog = { kind: 'archive', paths: good };
    return;
  }
  void pushAll(store, good, registry, refusal);
}

async function pushAll(
  store: Store,
  paths: string[],
  registry: string,
  before: string | null,
): Promise<void> {
  const refused: Refused[] = [];
  let told = 0;
  const tell = () => {
    if (refused.length > told) store.failAll(refused, before);
    told = refused.length;
  };
  const push = (path: string) =>
    store.request({ kind: 'push-archive', path, registry, reference: null }).catch((thrown) => {
      refused.push({ name: fileName(path), error: toUiError(thrown) });
    });
  let isShown = false;
  const show = () => {
    if (!isShown) store.view = 'transfers';
    isShown = true;
  };
  // A packed archive takes long to read, and can be cancelled there; how that ends is told there. What is refused at once
  // does not wait for it.
  const slow = setTimeout(() => {
    show();
    tell();
  }, MOMENT);
  await Promise.all(paths.map(push));
  clearTimeout(slow);
  if (refused.length < paths.length) show();
  tell();
}
