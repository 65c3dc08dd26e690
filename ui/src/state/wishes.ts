// What is wished for from outside of the page, in the tray or by files let go over the window, while it cannot be done
// yet: it waits here until there is a state, and no dialog is open that holds words somebody typed. The shell is told what
// waits, so that a window that is closed leaves it to the next one.

import type { Backend, Dropped, Folder, Wish } from '../backend/backend';
import { t } from '../strings';
import { fileName } from './archive';
import { listed } from './refused';
import type { Notice, Store } from './store.svelte';

export class Wishes {
  #waiting: Wish[] = [];
  /** What was said about files that wait; not on the page if an error stood there. */
  #notice: Notice | null = null;
  /** What the shell was told of last. */
  #kept = '[]';

  readonly #store: Store;
  readonly #shell: Pick<Backend, 'takeWish' | 'keepWishes'>;

  constructor(store: Store, shell: Pick<Backend, 'takeWish' | 'keepWishes'>) {
    this.#store = store;
    this.#shell = shell;
  }

  /** Takes all that the shell has and does what can be done now. Without a state the shell keeps them. */
  async take(): Promise<void> {
    if (this.#store.snapshot === null) return;
    const take = () => this.#shell.takeWish();
    let hasTaken = false;
    for (let wish = await take(); wish !== null; wish = await take()) {
      this.#add(wish);
      hasTaken = true;
    }
    this.goOn();
    // Until it hears of them, the shell takes them for undone.
    if (hasTaken) this.#keep();
  }

  /** Files whose turn comes later. */
  later({ paths, folders, isLeft }: Dropped): void {
    this.#add({ archives: dropped(paths, folders ?? [], isLeft === true) });
    this.goOn();
  }

  /** Does what waits, up to what would open a second dialog. Files that go on waiting are named. */
  goOn(): void {
    if (this.#store.snapshot !== null) this.#doNow();
    this.#sayWhatWaits();
    if (JSON.stringify(this.#waiting) !== this.#kept) this.#keep();
  }

  #keep(): void {
    this.#kept = JSON.stringify(this.#waiting);
    // A shell that does not take it has nothing to keep it in.
    this.#shell.keepWishes(this.#waiting).catch(() => {});
  }

  #doNow(): void {
    const store = this.#store;
    // One dialog may have opened it after the other.
    if (this.#isSettingUp) this.#waiting = this.#waiting.filter((wish) => wish !== 'setup');
    for (let at = this.#next(); at >= 0; at = this.#next()) {
      const [wish] = this.#waiting.splice(at, 1);
      if (wish === 'setup') store.dialog = { kind: 'setup', action: 'apply', registry: null };
      else if (typeof wish === 'object') {
        if (this.#notice !== null && store.notice === this.#notice) store.notice = null;
        this.#notice = null;
        store.onDrop({ kind: 'drop', ...wish.archives, x: -1, y: -1 });
      }
    }
  }

  #sayWhatWaits(): void {
    const store = this.#store;
    const names = this.#waiting.flatMap((wish) => files(wish).paths).map(fileName);
    const text = this.#reason(listed(names), names.length);
    if (names.length === 0 || this.#notice?.text === text) return;
    if (store.notice?.tone === 'error') {
      // What went wrong is seen nowhere else; the files' turn comes by itself.
      store.speak(text);
      this.#notice = { tone: 'info', text };
      return;
    }
    store.say(text);
    this.#notice = store.notice;
  }

  /** What files wait for. */
  #reason(names: string, count: number): string {
    const registries = this.#store.snapshot?.registries.length;
    if (registries === undefined) return t.archive.waitsForState(names, count);
    return registries > 1 ? t.archive.waits(names, count) : t.archive.waitsForDialog(names, count);
  }

  /** Whether the dialog that is wished for is open. */
  get #isSettingUp(): boolean {
    return this.#store.dialog?.kind === 'setup';
  }

  /** Which can be done now; -1 if none. New files need no dialog without a choice of registries. */
  #next(): number {
    if (!this.#store.isAsking) return this.#waiting.length > 0 ? 0 : -1;
    const choice = (this.#store.snapshot?.registries.length ?? 0) > 1;
    return choice
      ? -1
      : this.#waiting.findIndex((wish) => typeof wish === 'object' && wish.archives.isLeft !== true);
  }

  /** Pages are shown at once, and what is wished for twice is done once. */
  #add(wish: Wish): void {
    if (typeof wish === 'object') {
      const all = [...this.#waiting, wish].map(files);
      const paths = [...new Set(all.flatMap(({ paths }) => paths))];
      // What was said last of a folder is the newest.
      const folders = all
        .flatMap(({ folders = [] }) => folders)
        .filter(({ path }, at, list) => list.findLastIndex((other) => other.path === path) === at)
        .filter(({ path }) => paths.includes(path));
      const isLeft = all.some((files) => files.isLeft === true);
      this.#waiting = [
        ...this.#waiting.filter((other) => typeof other === 'string'),
        { archives: dropped(paths, folders, isLeft) },
      ];
    } else if (wish !== 'setup') this.#store.go(wish);
    else if (!this.#isSettingUp && !this.#waiting.includes(wish)) this.#waiting.push(wish);
  }
}

function dropped(paths: string[], folders: Folder[], isLeft: boolean): Dropped {
  return { paths, ...(folders.length === 0 ? {} : { folders }), ...(isLeft ? { isLeft } : {}) };
}

function files(wish: Wish): Dropped {
  return typeof wish === 'object' ? wish.archives : { paths: [] };
}
