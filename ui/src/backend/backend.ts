// The one door to the owner. Tauri's is in tauri.ts, the recorded one for a plain browser in ../mock.

import type { Command } from '../generated/Command';
import type { Event } from '../generated/Event';
import type { Reply } from '../generated/Reply';
import type { UiError } from '../generated/UiError';

/** A folder that was dropped, and whether it looks like an OCI layout, which is pushed like an archive. */
export interface Folder {
  path: string;
  isLayout: boolean;
}

/** What was dropped. The page cannot look at the disk: the shell says which of the paths are folders, if any are. */
export interface Dropped {
  paths: string[];
  folders?: Folder[];
  /** Some of it was given to an earlier window, which was closed before anything became of it. */
  isLeft?: true;
}

/** Something dragged over the window; positions in CSS pixels. */
export interface Drop extends Dropped {
  kind: 'enter' | 'over' | 'leave' | 'drop';
  x: number;
  y: number;
}

/** A page of the window. */
export type View = 'registries' | 'images' | 'transfers' | 'doctor' | 'settings' | 'contents';

/** Something for the page to show; or files, as if they had been let go over it. */
export type Wish = 'setup' | 'registries' | 'transfers' | 'settings' | { archives: Dropped };

/** An event, and the number after which nothing else is missing: the shell leaves out what a later one replaces. */
export type Told = Event & { after?: number };

/** What a file is wanted for. */
export type Wanted = 'archive' | 'certificate' | 'key';

/** What the owner and the shell call back with. */
export interface Listener {
  event(event: Told): void;
  drop(drop: Drop): void;
  /** There is something to take up with `takeWish`. */
  wished(): void;
}

export interface Backend {
  /** Carries out a command; throws a `UiError`. */
  dispatch(command: Command): Promise<Reply>;
  /** Begins to listen; resolves once nothing can be missed any more. */
  listen(listener: Listener): Promise<void>;
  /** The demo's sample archive, if this is the demo. */
  demoSample(): Promise<string | null>;
  /** The platform's dialog for a file that there is; null if it was closed. `archives` is what it calls image archives. */
  chooseFile(wanted: Wanted, title: string, archives: string): Promise<string | null>;
  /** Where to save a file of that name; null if the dialog was closed. Nothing is written yet. */
  chooseSave(name: string, title: string): Promise<string | null>;
  /** Writes the team file where the person says, and tells where that is; null if the dialog was closed. */
  saveTeamFile(title: string): Promise<string | null>;
  /** The next thing that was chosen outside of the page (in the tray) for it to show, each once; null if there is none. */
  takeWish(): Promise<Wish | null>;
  /** Says all that waits in the page, each time that is different: the next window gets it if this one is closed. */
  keepWishes(wishes: Wish[]): Promise<void>;
  /** Opens the page about the newer version that the owner knows of, in the person's browser. Throws a `UiError`. */
  openRelease(): Promise<void>;
  /** Has a screen reader told something; false if the page's own live region has to. */
  announce(text: string): Promise<boolean>;
}

/** Makes a `UiError` of whatever was thrown: a defect in between must not become silence. */
export function toUiError(thrown: unknown): UiError {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown) {
    return thrown as UiError;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message };
}
