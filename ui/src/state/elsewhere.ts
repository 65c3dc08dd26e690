// What the page that is shown does not tell: failures and newer versions that belong to another one. To whoever looks at
// the window the shell tells nothing, so it is said above the footer.

import type { Snapshot } from '../generated/Snapshot';
import { t } from '../strings';
import { failures, newerVersion, stillFailed, type Failure } from './announce';
import { hints, reasons, summary } from './refused';
import { remedy } from './remedy';
import type { Notice, Store } from './store.svelte';

export class Elsewhere {
  /** What failed on pages that are not shown, and the notice that tells of it. */
  #failed: { notice: Notice; failures: Failure[] } | null = null;
  /** A newer version that is told of once no error stands in its place. */
  #newer: Notice | null = null;

  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Says what is new between two states. */
  tell(before: Snapshot, after: Snapshot): void {
    const store = this.#store;
    const here = store.view === 'registries' && store.welcoming ? null : store.view;
    const failed = failures(before, after).filter(({ view }) => view !== here);
    const standing = this.#failed?.notice === store.notice ? this.#failed : null;
    // Those of a notice that still stands are told with the new ones, if they are not mended since.
    const known = standing?.failures.filter(
      (failure) => stillFailed(failure, after) && failed.every(({ key }) => key !== failure.key),
    );
    const all = [...(known ?? []), ...failed];
    if (failed.length > 0 || all.length < (standing?.failures.length ?? 0)) this.#show(all);
    const version = store.view === 'settings' ? null : newerVersion(before, after);
    if (version !== null) {
      const act = () => store.go('settings');
      const text = t.settings.newer(version, after.updates.running);
      this.#newer = { tone: 'info', text, remedy: { label: t.remedy.settings, testid: 'notice-show', act } };
    }
    if (this.#newer === null || store.notice?.tone === 'error') return;
    store.warn(this.#newer);
    this.#newer = null;
  }
  /** Tells of these in place of what was told of failures before; of none, it takes that back. */
  #show(all: Failure[]): void {
    const store = this.#store;
    const last = all.at(-1);
    if (!last) {
      store.notice = null;
      this.#failed = null;
      return;
    }
    const why = reasons(all);
    const notice: Notice = {
      tone: 'error',
      text: summary(why, (names, count, error) => t.failedBecause(names, count, error)),
      hint: hints(why),
      code: last.error.code,
      // One button for several failures would mend one of them.
      remedy: why.length === 1 ? remedy(store, last.error, last.registry) : null,
    };
    store.notice = notice;
    this.#failed = { notice, failures: all };
  }
}
