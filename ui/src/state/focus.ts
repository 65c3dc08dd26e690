// Where the keyboard is. What has the focus may go away (a row that was removed) or stop taking keys (a button that is at
// work); the browser then gives the focus to nobody, and a person without a mouse starts anew at the top.

const FOCUSABLE =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, ' +
  '[tabindex]';

function reachable(part: Element): HTMLElement[] {
  // Asked of each element: jsdom does not keep the page's order where several selectors are asked for at once.
  return [...part.querySelectorAll<HTMLElement>('*')].filter(
    (element) => element.matches(FOCUSABLE) && element.tabIndex >= 0 && element.checkVisibility?.() !== false,
  );
}

/** What Tab goes round in: the dialog in front, or everything. */
function front(): Element {
  return [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
}

/**
 * Takes Tab from the last element to the first and back. Without it the toolkit around the page gets the focus in between,
 * which shows nowhere and reads as “grayed”.
 */
export function turnRound(event: KeyboardEvent): void {
  // With Shift, WebKitGTK has no name for the key that X calls ISO_Left_Tab.
  const isTab = event.key === 'Tab' || event.code === 'Tab';
  if (!isTab || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  const all = reachable(front());
  const [edge, other] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
  if (edge === undefined || document.activeElement !== edge) return;
  // Of radio buttons only the chosen one is a stop, so the edge may be another one of its group.
  event.preventDefault();
  other?.focus();
}

/**
 * Gives the focus back when it was lost: to the heir that what had it names (`data-heir`, a selector), or to what moved up
 * into its place. Returns how to stop.
 */
export function keepFocus(fallback: () => HTMLElement | null): () => void {
  let last: HTMLElement | null = null;
  /** What it was in, from the inside. */
  let around: Element[] = [];
  /** Which of those that could have it there, for each of `around`. */
  let at: number[] = [];

  const focused = (event: FocusEvent) => {
    if (!(event.target instanceof HTMLElement)) return;
    last = event.target;
    around = [];
    for (let part = last.parentElement; part && part !== document.body; part = part.parentElement)
      around.push(part);
    const all = reachable(document.body);
    at = around.map((part) =>
      all.filter((element) => part.contains(element)).indexOf(event.target as HTMLElement),
    );
  };
  // Who clicks beside everything wants nothing to have it.
  const pressed = () => (last = null);

  /** Where one begins anew; behind a dialog nothing takes the focus. */
  const beginning = (layer: Element) =>
    layer === document.body
      ? fallback()
      : (layer.querySelector<HTMLElement>('[data-autofocus]') ?? reachable(layer)[0] ?? null);

  const mend = () => {
    const active = document.activeElement;
    if (last === null || (active !== null && active !== document.body)) return;
    if (last.isConnected) {
      // At work; it gets the focus back when it is done.
      if (!last.matches(':disabled')) last.focus({ preventScroll: true });
      return;
    }
    const layer = front();
    const survives = (part: Element) => part.isConnected && layer.contains(part);
    const { heir } = last.dataset;
    if (heir !== undefined) {
      const outer = around.find((part) => survives(part) && part.matches('[tabindex="-1"]'));
      // Not at its place: what is there now does something else. The heir may have moved out of sight.
      const found = layer.querySelector(heir) ?? outer ?? beginning(layer);
      if (found instanceof HTMLElement) found.focus();
      return;
    }
    // With a dialog that is gone, whoever opened it is gone too, or would have it.
    const wasAsked = around.some((part) => part.tagName === 'DIALOG' && !part.isConnected);
    const inside = wasAsked ? -1 : around.findIndex(survives);
    const left = around[inside];
    const near = left && left.tagName !== 'MAIN' ? reachable(left) : [];
    // The next one moved up into its place.
    const next = near[Math.min(at[inside] ?? 0, near.length - 1)];
    (next ?? beginning(layer))?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(() => requestAnimationFrame(mend));
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['disabled'],
  });
  document.addEventListener('focusin', focused);
  document.addEventListener('pointerdown', pressed);
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', focused);
    document.removeEventListener('pointerdown', pressed);
  };
}
