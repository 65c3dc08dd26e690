// An image row that is dragged onto a registry. With pointer events: the web view's own drag and drop is off, since the
// shell takes files that are dropped on the window (tauri, `dragDropEnabled`).

/** What is carried, and where it is now. */
export interface Carried {
  tag: string;
  x: number;
  y: number;
  /** The registry under the pointer. */
  over: string | null;
}

/** As far as a pointer may tremble in a click, in CSS pixels. */
const TREMBLE = 6;

/** Begins to watch a press on a row; `onlet` is called if it ends on a registry. */
export function carry(
  event: PointerEvent,
  tag: string,
  show: (carried: Carried | null) => void,
  onlet: (tag: string, registry: string) => void,
): void {
  if (event.button !== 0 || event.pointerType === 'touch') return;
  if ((event.target as Element).closest('button, a, input')) return;
  const start = { x: event.clientX, y: event.clientY };
  let carried: Carried | null = null;

  const move = (moved: PointerEvent) => {
    if (!carried && Math.hypot(moved.clientX - start.x, moved.clientY - start.y) < TREMBLE) return;
    const { clientX: x, clientY: y } = moved;
    getSelection()?.removeAllRanges();
    carried = { tag, x, y, over: target(x, y) };
    show(carried);
  };
  const end = () => {
    window.removeEventListener('pointermove', move);
    window.removeEventListener('pointerup', up);
    window.removeEventListener('pointercancel', end);
    window.removeEventListener('keydown', key, true);
    carried = null;
    show(null);
  };
  const up = () => {
    const registry = carried?.over;
    end();
    if (registry) onlet(tag, registry);
  };
  const key = (pressed: KeyboardEvent) => {
    if (pressed.key !== 'Escape') return;
    pressed.stopPropagation();
    end();
  };
  window.addEventListener('pointermove', move);
  window.addEventListener('pointerup', up);
  window.addEventListener('pointercancel', end);
  window.addEventListener('keydown', key, true);
}

function target(x: number, y: number): string | null {
  const element = document.elementFromPoint?.(x, y)?.closest<HTMLElement>('[data-carry-registry]');
  return element?.dataset['carryRegistry'] ?? null;
}
