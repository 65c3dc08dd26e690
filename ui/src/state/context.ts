// Hands the store to every component below the window's root.

import { getContext, setContext } from 'svelte';
import type { Store } from './store.svelte';

const KEY = Symbol('store');

export function provideStore(store: Store): void {
  setContext(KEY, store);
}

export function getStore(): Store {
  return getContext<Store>(KEY);
}
