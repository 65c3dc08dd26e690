// A long list of which only what is in sight is in the page: a gap stands for the rows above, and one for those below.
// The arrows, Page Up and Down, Home and End go from row to row, drawn or not. Rows may differ in height; those that were
// never drawn are taken for as high as most of the first ones. A table's columns are as wide as the rows that are drawn
// want them, so drawing more or fewer can change the height of all: that must come to rest.

import { tick, untrack } from 'svelte';
import type { Attachment } from 'svelte/attachments';

/** Rows drawn where nothing has a height: in tests, and before the first layout. */
const BLIND = 40;
/** The range grows and shrinks by so many rows, so that not every pixel of a scroll redraws. */
const STEP = 8;
/** Rows more than needed that stay drawn: whether one more is in sight may depend on whether it is drawn. */
const SLACK = 4 * STEP;
/** Pixels beyond the window's edge that are drawn as well. */
const MARGIN = 320;

/** A drawn row, or the room of those that are not. */
export type Piece = { key: string; index: number; gap: null } | { key: string; index: null; gap: number };

/** The attribute of a row's element, by which it is measured. */
export const ROW = 'data-virtual-row';

/** What of a row can have the focus. */
const CONTROL = 'button:not(:disabled), a[href]';
/** Rows that Page Up and Page Down go. */
const PAGE = 10;

/** The row a key goes to from `at`; null for other keys. */
function target(key: string, at: number, count: number): number | null {
  const within = (to: number) => Math.min(Math.max(to, 0), count - 1);
  switch (key) {
    case 'ArrowDown':
      return within(at + 1);
    case 'ArrowUp':
      return within(at - 1);
    case 'PageDown':
      return within(at + PAGE);
    case 'PageUp':
      return within(at - PAGE);
    case 'Home':
      return 0;
    case 'End':
      return within(count - 1);
    default:
      return null;
  }
}

/** To be made while a component is. */
export class Virtual {
  readonly #keys: () => readonly string[];
  readonly #estimate: number;
  #heights = new Map<string, number>();
  /** The height of the middle one of the first rows that were measured; 0 before that. */
  #middle = 0;
  #measured = $state(0);
  #range = $state.raw({ first: 0, last: BLIND });
  /** The row with the focus, which stays in the page wherever one scrolls. */
  #held = $state<string | null>(null);
  #list: HTMLElement | null = null;
  #scroller: HTMLElement | null = null;
  /** The request for a look with the next frame; 0 where there is none. */
  #frame = 0;

  /** `estimate` is a row's height in rem. */
  constructor(keys: () => readonly string[], estimate: number) {
    this.#keys = keys;
    this.#estimate = estimate;
    $effect(() => {
      void this.#keys();
      // Alone for other rows: heights that are measured because of what it draws must not call it again at once.
      untrack(() => this.#look());
    });
    $effect(() => {
      void this.pieces;
      untrack(() => this.#measure());
    });
  }

  /** Where each row begins, in pixels from the top; one more than there are rows. */
  readonly #offsets = $derived.by(() => {
    void this.#measured;
    const keys = this.#keys();
    const usual = this.#usual();
    const offsets = new Float64Array(keys.length + 1);
    keys.forEach((key, at) => {
      offsets[at + 1] = (offsets[at] ?? 0) + (this.#heights.get(key) ?? usual);
    });
    return offsets;
  });

  /** What is in the page, from top to bottom. */
  readonly pieces = $derived.by((): Piece[] => {
    const keys = this.#keys();
    const first = Math.min(this.#range.first, Math.max(0, keys.length - STEP));
    const last = Math.min(this.#range.last, keys.length);
    const held = this.#held === null ? -1 : keys.indexOf(this.#held);
    const drawn = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
    if (held >= 0 && held < first) drawn.unshift(held);
    else if (held >= last) drawn.push(held);
    const pieces: Piece[] = [];
    let next = 0;
    const skipTo = (index: number) => {
      const gap = (this.#offsets[index] ?? 0) - (this.#offsets[next] ?? 0);
      const key = index === keys.length ? 'gap at the end' : `gap ${pieces.length}`;
      if (gap > 0) pieces.push({ key, index: null, gap });
    };
    for (const index of drawn) {
      skipTo(index);
      pieces.push({ key: `row ${keys[index]}`, index, gap: null });
      next = index + 1;
    }
    skipTo(keys.length);
    return pieces;
  });

  /** On the element that the rows are in. */
  readonly list: Attachment<HTMLElement> = (element) => {
    const scroller = element.closest('main') ?? document.documentElement;
    this.#list = element;
    this.#scroller = scroller;
    const soon = () => this.#lookSoon();
    let width = element.clientWidth;
    const resized = () => {
      // Another width breaks lines elsewhere: what was measured holds no more.
      if (element.clientWidth !== width) {
        width = element.clientWidth;
        this.#heights.clear();
        this.#middle = 0;
        this.#measure();
      }
      soon();
    };
    const focused = (event: FocusEvent) => {
      const row = event.target instanceof Element ? event.target.closest(`[${ROW}]`) : null;
      const held = event.type === 'focusin' ? (row?.getAttribute(ROW) ?? null) : null;
      // A row with the focus that is taken out of the page says so in the midst of a redraw, where nothing may change.
      queueMicrotask(() => (this.#held = held));
    };
    const keyed = (event: KeyboardEvent) => this.#step(event);
    scroller.addEventListener('scroll', soon, { passive: true });
    element.addEventListener('keydown', keyed);
    element.addEventListener('focusin', focused);
    element.addEventListener('focusout', focused);
    const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(resized);
    observer?.observe(scroller);
    observer?.observe(element);
    this.#look();
    this.#measure();
    return () => {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      scroller.removeEventListener('scroll', soon);
      element.removeEventListener('keydown', keyed);
      element.removeEventListener('focusin', focused);
      element.removeEventListener('focusout', focused);
      observer?.disconnect();
      this.#list = null;
    };
  };

  /** From a row's control to the same one of another row. */
  #step(event: KeyboardEvent): void {
    // A menu has its own use for the arrows.
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const control = event.target instanceof Element ? event.target.closest<HTMLElement>(CONTROL) : null;
    const row = control?.closest(`[${ROW}]`);
    if (!control || !row) return;
    const keys = this.#keys();
    const to = target(event.key, keys.indexOf(row.getAttribute(ROW) ?? ''), keys.length);
    const key = to === null ? undefined : keys[to];
    if (key === undefined) return;
    event.preventDefault();
    void this.#focus(key, [...row.querySelectorAll(CONTROL)].indexOf(control));
  }

  async #focus(key: string, nth: number): Promise<void> {
    this.#held = key; // which draws it, wherever it is
    await tick();
    const row = [...(this.#list?.querySelectorAll(`[${ROW}]`) ?? [])].find(
      (one) => one.getAttribute(ROW) === key,
    );
    const controls = row?.querySelectorAll<HTMLElement>(CONTROL);
    (controls?.[nth] ?? controls?.[0])?.focus({ preventScroll: true });
    row?.scrollIntoView?.({ block: 'nearest' });
  }

  /** It stays what it was: were it to follow every row that is measured, what is in sight would drift away. */
  #usual(): number {
    if (this.#middle > 0) return this.#middle;
    const heights = [...this.#heights.values()].toSorted((a, b) => a - b);
    this.#middle = heights[heights.length >> 1] ?? 0;
    if (this.#middle > 0) return this.#middle;
    return this.#estimate * (Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16);
  }

  #lookSoon(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#look();
    });
  }

  /** Which rows are in sight; those that are drawn already stay, unless they are too many. */
  #look(): void {
    const [list, scroller] = [this.#list, this.#scroller];
    if (!list || !scroller) return;
    const view = scroller.getBoundingClientRect();
    if (view.height === 0) return;
    const top = list.getBoundingClientRect().top;
    const first = Math.floor(this.#at(view.top - top - MARGIN) / STEP) * STEP;
    const last = Math.ceil((this.#at(view.bottom - top + MARGIN) + 1) / STEP) * STEP;
    const drawn = this.#range;
    if (first >= drawn.first && last <= drawn.last && drawn.last - drawn.first <= last - first + SLACK)
      return;
    const both = { first: Math.min(first, drawn.first), last: Math.max(last, drawn.last) };
    this.#range = both.last - both.first <= last - first + SLACK ? both : { first, last };
  }

  /** The row at that many pixels from the top. */
  #at(pixels: number): number {
    const offsets = this.#offsets;
    let [low, high] = [0, Math.max(0, offsets.length - 2)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((offsets[middle] ?? 0) <= pixels) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #measure(): void {
    let changed = false;
    for (const row of this.#list?.querySelectorAll(`[${ROW}]`) ?? []) {
      const [key, { height }] = [row.getAttribute(ROW) ?? '', row.getBoundingClientRect()];
      if (height === 0 || Math.abs((this.#heights.get(key) ?? 0) - height) < 0.5) continue;
      this.#heights.set(key, height);
      changed = true;
    }
    if (!changed) return;
    this.#measured += 1;
    this.#lookSoon();
  }
}
