// Words of what a screen reader says by itself.

import type { TransferKind } from '../generated/TransferKind';

export const en = {
  spoken: {
    up: (name: string) => `${name} is connected.`,
    down: (name: string) => `${name} is closed.`,
    failed: (name: string, why: string) => `${name} failed: ${why}`,
    reconnecting: (name: string) => `${name} lost its connection; reconnecting.`,
    added: (name: string) => `${name} is added.`,
    saved: (name: string) => `${name} is saved.`,
    started: {
      push: (what: string) => `Pushing ${what}.`,
      pull: (what: string) => `Pulling ${what}.`,
      ship: (what: string) => `Shipping ${what}.`,
      copy: (what: string) => `Copying ${what}.`,
    } satisfies Record<TransferKind, (what: string) => string>,
    done: {
      push: (what: string) => `${what} is pushed.`,
      pull: (what: string) => `${what} is pulled.`,
      ship: (what: string) => `${what} is shipped.`,
      copy: (what: string) => `${what} is copied.`,
    } satisfies Record<TransferKind, (what: string) => string>,
    paused: (what: string) => `${what} is paused.`,
    resumed: (what: string) => `${what} is resumed.`,
    transferFailed: (what: string, why: string) => `${what} failed: ${why}`,
    cancelled: (what: string) => `${what} was cancelled.`,
  },
};
