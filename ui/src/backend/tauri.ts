// The owner behind Tauri's IPC.

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Command } from '../generated/Command';
import type { Reply } from '../generated/Reply';
import type { Backend, Drop, Listener, Told, Wish } from './backend';

export const tauri: Backend = {
  dispatch: (command: Command) => invoke<Reply>('dispatch', { command }),

  async listen(listener: Listener) {
    await Promise.all([
      listen<Told[]>('dockline-events', ({ payload }) => payload.forEach((told) => listener.event(told))),
      listen<Drop>('dockline-drop', ({ payload }) => listener.drop(payload)),
      listen<null>('dockline-wish', () => listener.wished()),
    ]);
  },

  demoSample: () => optional('demo_sample'),
  chooseFile: (wanted, title, archives) => invoke<string | null>('choose_file', { wanted, title, archives }),
  chooseSave: (name, title) => invoke<string | null>('choose_save', { name, title }),
  saveTeamFile: (title) => invoke<string | null>('save_team_file', { title }),
  takeWish: () => optional<Wish>('take_wish'),
  keepWishes: (wishes) => invoke<void>('keep_wishes', { wishes }),
  openRelease: () => invoke<void>('open_release'),
  announce: (text) => invoke<boolean>('announce', { text }),
};

/** A shell without that command, as the demo's is to everyone else, has nothing to give. */
async function optional<T = string>(command: string): Promise<T | null> {
  try {
    return await invoke<T | null>(command);
  } catch {
    return null;
  }
}

/** Whether this page runs in Dockline's window, not in a browser. */
export function inTauri(): boolean {
  return '__TAURI_INTERNALS__' in window;
}
