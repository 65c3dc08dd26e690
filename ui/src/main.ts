import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import { mount } from 'svelte';
import App from './App.svelte';
import type { Backend } from './backend/backend';
import { inTauri, tauri } from './backend/tauri';
import { Store } from './state/store.svelte';

/** In a plain browser the window shows recorded states: `?mock=full|empty|failing|slow|many`. */
async function backend(): Promise<Backend> {
  if (inTauri()) return tauri;
  const { mock } = await import('./mock');
  return mock(new URLSearchParams(location.search));
}

const target = document.getElementById('app');
if (target) {
  const store = new Store(await backend());
  mount(App, { target, props: { store } });
  void store.start();
}
