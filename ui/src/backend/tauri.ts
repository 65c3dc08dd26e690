// The owner behind Tauri's IPC.

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { Command } from '../generated/Command';
import type { Event } from '../generated/Event';
import type { Reply } from '../generated/Reply';
import type { Backend, Drop, Listener, Wish } from './backend';

export const tauri: Backend = {
  dispatch: (command: Command) => invoke<Reply>('dispatch', { command }),

  async listen(listener: Listener) {
    await Promise.all([
      listen<Event>('dockline-event', ({ payload }) => listener.event(payload)),
      listen<Drop>('dockline-drop', ({ payload }) => listener.drop(payload)),
      listen<null>('dockline-wish', () => listener.wished()),
    ]);
  },

  demoSample: () => optional('demo_sample'),
  chooseFile: (wanted, title) =>
    wanted === 'archive' ? optional('choose_archive') : optional('choose_file', { wanted, title }),
  chooseSave: (name, title) => optional('choose_save', { name, title }),
  saveTeamFile: (title) => invoke<string | null>('save_team_file', { title }),
  takeWish: () => optional<Wish>('take_wish'),
};

/** A shell without that command, as the demo's is to everyone else, has nothing to give. */
async function optional<T = string>(command: string, more?: Record<string, unknown>): Promise<T | null> {
  try {
    return await invoke<T | null>(command, more);
  } catch {
    return null;
  }
}

/** Whether this page runs in Dockline's window, not in a browser. */
export function inTauri(): boolean {
  return '__TAURI_INTERNALS__' in window;
}
