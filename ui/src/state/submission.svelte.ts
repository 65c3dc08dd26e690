// What a dialog's main button does: busy meanwhile, and why it was refused.

import type { UiError } from '../generated/UiError';
import { toUiError } from '../backend/backend';

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
}
