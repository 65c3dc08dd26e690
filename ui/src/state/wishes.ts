// What is wished for from outside of the page, in the tray or by files let go over the window, while it cannot be done
// yet: it waits here until there is a state, and no dialog is open that holds words somebody typed.

import type { Wish } from '../backend/backend';
import { t } from '../strings';
import { fileName } from './archive';
import { listed } from './refused';
import type { Notice, Store } from './store.svelte';

export class Wishes {
  #waiting: Wish[] = [];
  /** What was said about files that wait; not on the page if an error stood there. */
  #notice: Notice | null = null;

  readonly #store: Store;
  readonly #take: () => Promise<Wish | null>;

  constructor(store: Store, take: () => Promise<Wish | null>) {
    this.#store = store;
    this.#take = take;
  }

  /** Takes all that the shell has and does what can be done now. Without a state the shell keeps them. */
  async take(): Promise<void> {
    if (this.#store.snapshot === null) return;
    for (let wish = await this.#take(); wish !== null; wish = await this.#take()) this.#add(wish);
    this.goOn();
  }

  /** Files whose turn comes later. */
  later(paths: readonly string[]): void {
    this.#add({ archives: { paths: [...paths] } });
    this.goOn();
  }

  /** Does what waits, up to what would open a second dialog. Files that go on waiting are named. */
  goOn(): void {
    const store = this.#store;
    if (store.snapshot === null) return;
    // One dialog may have opened it after the other.
    if (this.#isSettingUp) this.#waiting = this.#waiting.filter((wish) => wish !== 'setup');
    for (let at = this.#next(); at >= 0; at = this.#next()) {
      const [wish] = this.#waiting.splice(at, 1);
      if (wish === 'setup') store.dialog = { kind: 'setup', action: 'apply', registry: null };
      else if (typeof wish === 'object') {
        if (this.#notice !== null && store.notice === this.#notice) store.notice = null;
        this.#notice = null;
        store.onDrop({ kind: 'drop', paths: wish.archives.paths, x: -1, y: -1 });
      }
    }
    const names = this.#waiting.flatMap(files).map(fileName);
    const text = t.archive.waits(listed(names), names.length);
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

  /** Whether the dialog that is wished for is open. */
  get #isSettingUp(): boolean {
    return this.#store.dialog?.kind === 'setup';
  }

  /** Which can be done now; -1 if none. Without a choice of registries, files need no dialog. */
  #next(): number {
    if (!this.#store.isAsking) return this.#waiting.length > 0 ? 0 : -1;
    const asks = (this.#store.snapshot?.registries.length ?? 0) > 1;
    return asks ? -1 : this.#waiting.findIndex((wish) => typeof wish === 'object');
  }

  /** Pages are shown at once, and what is wished for twice is done once. */
  #add(wish: Wish): void {
    if (typeof wish === 'object') {
      const paths = [...this.#waiting.flatMap(files), ...wish.archives.paths];
      this.#waiting = [
        ...this.#waiting.filter((other) => typeof other === 'string'),
        { archives: { paths: [...new Set(paths)] } },
      ];
    } else if (wish !== 'setup') this.#store.go(wish);
    else if (!this.#isSettingUp && !this.#waiting.includes(wish)) this.#waiting.push(wish);
  }
}

function files(wish: Wish): string[] {
  return typeof wish === 'object' ? wish.archives.paths : [];
}
