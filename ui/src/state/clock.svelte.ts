// The time, for texts that count. Ticks once a second, and only while something on the screen reads it.

import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Milliseconds since 1970; a component that reads it is drawn again each second. */
export function now(): number {
  subscribe();
  return Date.now();
}
