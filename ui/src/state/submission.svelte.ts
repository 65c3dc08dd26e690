// What a dialog's main button does: busy meanwhile, and why it was refused.

import type { Command } from '../generated/Command';
import type { UiError } from '../generated/UiError';
import { toUiError } from '../backend/backend';
import type { Refused } from './refused';
import type { Store } from './store.svelte';

/** One of several things that a dialog asks for at once. */
export interface Part {
  /** What it is called. */
  name: string;
  command: Command;
  /** What it is the same as, if that is not the whole command. */
  key?: string;
}

function keyOf({ key, command }: Part): string {
  return key ?? JSON.stringify(command);
}

export class Submission {
  busy = $state(false);
  refusal = $state.raw<UiError | null>(null);
  /** Of several things that were asked for, those that were refused. */
  refused = $state.raw<readonly Refused[]>([]);
  /** What was taken: it is not asked for again by pressing the button once more. */
  taken = $state.raw<ReadonlySet<string>>(new Set());

  #tell = () => {};

  /** Does the work. `handled` may keep an error from being shown by returning true. */
  async run(work: () => Promise<void>, handled?: (error: UiError) => Promise<boolean>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.refusal = null;
    this.refused = [];
    try {
      await work();
    } catch (thrown) {
      const error = toUiError(thrown);
      if (!(await handled?.(error))) this.refusal = error;
    } finally {
      this.busy = false;
    }
  }

  /**
   * Does the work of the dialog that is open, closes it, and does what comes after. Whoever left it meanwhile, with Escape,
   * may be in another one by now: then nothing is closed and nothing comes after, and a refusal is said outside it.
   */
  async finish(store: Store, work: () => Promise<void>, after?: () => void): Promise<void> {
    const mine = store.dialog;
    await this.run(
      async () => {
        await work();
        if (store.dialog !== mine) return;
        store.close();
        after?.();
      },
      async (error) => {
        if (store.dialog === mine) return false;
        store.fail(error);
        return true;
      },
    );
  }

  /**
   * Asks for each of the parts, whatever became of the others, and ends as `finish` does. If some are refused the dialog
   * stays, and the button asks for those alone. Returns them.
   */
  async sendAll(store: Store, parts: readonly Part[], after?: () => void): Promise<readonly Part[]> {
    const left = parts.filter((part) => !this.taken.has(keyOf(part)));
    const refused = new Map<Part, UiError>();
    const named = () =>
      left.flatMap((part) => {
        const error = refused.get(part);
        return error === undefined ? [] : [{ name: part.name, error }];
      });
    const mine = store.dialog;
    let told = 0;
    this.#tell = () => {
      if (store.dialog === mine || told === refused.size) return;
      told = refused.size;
      store.failAll(named());
    };
    const ask = async (part: Part) => {
      try {
        await store.request(part.command);
        this.taken = new Set([...this.taken, keyOf(part)]);
      } catch (thrown) {
        refused.set(part, toUiError(thrown));
        this.#tell();
      }
    };
    await this.run(async () => {
      // At once: one answer may take long, and who closes the window meanwhile has asked for all of them.
      await Promise.all(left.map(ask));
      if (store.dialog !== mine) {
        this.#tell();
        return;
      }
      const told = named();
      if (told.length === 0) {
        store.close();
        after?.();
      } else if (parts.length > 1) this.refused = told;
      else this.refusal = told[0]?.error ?? null;
    });
    return left.filter((part) => refused.has(part));
  }

  /** Its dialog was closed before all answers were there: what was refused already is said outside, and the rest as it comes. */
  left(): void {
    this.#tell();
  }
}
