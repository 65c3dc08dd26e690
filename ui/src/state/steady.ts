// What stands still under the pointer: while it is over a list, the list's entries get no smaller, so that nothing slides
// away from below a hand that is about to press. A tunnel closes by itself a while after its last use, and its card has
// less to say then.

import type { Attachment } from 'svelte/attachments';

/** Holds the height of each entry's own element as long as the pointer is over the list. */
export const steady: Attachment<HTMLElement> = (list) => {
  const cards = () =>
    [...list.children].flatMap((entry) => (entry.firstElementChild as HTMLElement | null) ?? []);
  const hold = () => {
    // All are read before any is written: a write in between would have the page laid out for each.
    const heights = cards().map((card) => [card, card.offsetHeight] as const);
    for (const [card, height] of heights) card.style.minHeight = `${height}px`;
  };
  const release = () => cards().forEach((card) => (card.style.minHeight = ''));
  list.addEventListener('pointerenter', hold);
  list.addEventListener('pointerleave', release);
  return () => {
    list.removeEventListener('pointerenter', hold);
    list.removeEventListener('pointerleave', release);
  };
};
