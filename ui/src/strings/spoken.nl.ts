// Dutch words of what a screen reader says by itself.

import type { en } from './spoken.en';

export const nl: typeof en = {
  spoken: {
    up: (name: string) => `${name} is verbonden.`,
    down: (name: string) => `${name} is gesloten.`,
    failed: (name: string, why: string) => `${name} is mislukt: ${why}`,
    reconnecting: (name: string) => `${name} verloor zijn verbinding en verbindt opnieuw.`,
    added: (name: string) => `${name} is toegevoegd.`,
    saved: (name: string) => `${name} is opgeslagen.`,
    started: {
      push: (what: string) => `${what} wordt gepusht.`,
      pull: (what: string) => `${what} wordt opgehaald.`,
      ship: (what: string) => `${what} wordt gestuurd.`,
      copy: (what: string) => `${what} wordt gekopieerd.`,
    },
    done: {
      push: (what: string) => `${what} is gepusht.`,
      pull: (what: string) => `${what} is opgehaald.`,
      ship: (what: string) => `${what} is gestuurd.`,
      copy: (what: string) => `${what} is gekopieerd.`,
    },
    paused: (what: string) => `${what} is gepauzeerd.`,
    resumed: (what: string) => `${what} is hervat.`,
    transferFailed: (what: string, why: string) => `${what} is mislukt: ${why}`,
    cancelled: (what: string) => `${what} is geannuleerd.`,
  },
};
