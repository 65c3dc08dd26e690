// What a dialog's main button does: busy meanwhile, and why it was refused.

import type { UiError } from '../generated/UiError';
import { toUiError } from '../backend/backend';
import type { Store } from './store.svelte';

export class Submission {
  busy = $state(false);
  refusal = $state.raw<UiError | null>(null);

  /** Does the work. `handled` may keep an error from being shown by returning true. */
  async run(work: () => Promise<void>, handled?: (error: UiError) => Promise<boolean>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.refusal = null;
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
}
