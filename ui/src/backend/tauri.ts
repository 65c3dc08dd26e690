// The owner behind Tauri's IPC.

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Command } from '../generated/Command';
import type { Event } from '../generated/Event';
import type { Reply } from '../generated/Reply';
import type { Backend, Drop, Listener, View } from './backend';

export const tauri: Backend = {
  dispatch: (command: Command) => invoke<Reply>('dispatch', { command }),

  async listen(listener: Listener) {
    await Promise.all([
      listen<Event>('dockline-event', ({ payload }) => listener.event(payload)),
      listen<Drop>('dockline-drop', ({ payload }) => listener.drop(payload)),
      listen<View>('dockline-navigate', ({ payload }) => listener.navigate(payload)),
    ]);
  },

  async demoSample() {
    try {
      return await invoke<string | null>('demo_sample');
    } catch {
      return null; // not the demo
    }
  },
};

/** Whether this page runs in Dockline's window, not in a browser. */
export function inTauri(): boolean {
  return '__TAURI_INTERNALS__' in window;
}
