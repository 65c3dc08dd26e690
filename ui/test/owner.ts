// A scripted owner: records commands, answers as told, and sends events when a test says so.

import { render } from '@testing-library/svelte';
import { userEvent } from '@testing-library/user-event';
import type { Backend, Listener, Wanted, Wish } from '../src/backend/backend';
import App from '../src/App.svelte';
import type { Change } from '../src/generated/Change';
import type { Command } from '../src/generated/Command';
import type { Reply } from '../src/generated/Reply';
import type { Snapshot } from '../src/generated/Snapshot';
import type { UiError } from '../src/generated/UiError';
import { Store } from '../src/state/store.svelte';

type Kind = Command['kind'];

export class ScriptedOwner implements Backend {
  commands: Command[] = [];
  listener!: Listener;
  sequence: number;
  answers: Partial<Record<Kind, (command: Command) => Reply | Promise<Reply>>> = {};
  snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
    this.sequence = snapshot.sequence;
  }

  async listen(listener: Listener) {
    this.listener = listener;
  }

  async dispatch(command: Command): Promise<Reply> {
    this.commands.push(command);
    if (command.kind === 'snapshot') return { kind: 'snapshot', snapshot: this.snapshot };
    return (await this.answers[command.kind]?.(command)) ?? { kind: 'done' };
  }

  demoSample = async () => null;
  /** What the platform's dialogs were asked for. */
  dialogs: string[] = [];
  chooseFile = async (wanted: Wanted, title: string) => {
    this.dialogs.push(`${wanted}: ${title}`);
    return `/home/me/${{ archive: 'chosen.tar', certificate: 'chosen.pem', key: 'chosen.key' }[wanted]}`;
  };
  chooseSave = async (name: string, title: string) => {
    this.dialogs.push(`${name}: ${title}`);
    return `/home/me/${name}`;
  };
  saveTeamFile = async (title: string): Promise<string | null> => {
    this.dialogs.push(title);
    return '/home/me/dockline-team.toml';
  };
  wish: Wish | null = null;
  takeWish = async () => {
    const wish = this.wish;
    this.wish = null;
    return wish;
  };
  /** What the next window would get. */
  kept: Wish[] = [];
  keepWishes = async (wishes: Wish[]) => {
    this.kept = structuredClone(wishes);
  };

  opened = 0;
  openRelease = async () => {
    this.opened += 1;
  };

  announced: string[] = [];
  announce = async (text: string) => {
    // Without words it is a question about the shell.
    if (text !== '') this.announced.push(text);
    return false;
  };

  tell(change: Change) {
    this.sequence += 1;
    this.listener.event({ sequence: this.sequence, change });
  }

  refuse(kind: Kind, error: UiError) {
    this.answers[kind] = () => Promise.reject(error);
  }

  /** What was asked for, but for what the window looks up by itself. */
  asked(): Command[] {
    const own: Kind[] = ['snapshot', 'find-proposals', 'list-contexts'];
    return this.commands.filter(({ kind }) => !own.includes(kind));
  }
}

/** The window on a scripted owner. */
export async function open(snapshot: Snapshot) {
  const owner = new ScriptedOwner(snapshot);
  return { owner, ...(await show(owner)) };
}

/** The window on any owner. */
export async function show(owner: Backend) {
  const store = new Store(owner);
  const screen = render(App, { props: { store } });
  await store.start();
  const user = userEvent.setup();
  return { store, screen, user };
}
