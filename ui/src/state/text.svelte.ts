// How large the text is, beside what the system says. Everything in the window is measured in rem and follows it
// (WCAG 2.2, 1.4.4).

import { keep, read } from './language.svelte';

export const TEXT_SIZES = [100, 115, 130, 150, 175, 200] as const;
export type TextSize = (typeof TEXT_SIZES)[number];
export type TextStep = 'larger' | 'smaller' | 'usual';

const KEY = 'dockline.text';

class Chosen {
  percent = $state(inRange(Number(read(KEY))));

  choose(percent: number): void {
    this.percent = inRange(percent);
    keep(KEY, this.percent === 100 ? null : `${this.percent}`);
  }

  /** The size a step away; the configuration may hold one between two steps. */
  after(step: TextStep): TextSize {
    switch (step) {
      case 'larger':
        return TEXT_SIZES.find((size) => size > this.percent) ?? 200;
      case 'smaller':
        return TEXT_SIZES.findLast((size) => size < this.percent) ?? 100;
      case 'usual':
        return 100;
    }
  }
}

function inRange(percent: number): number {
  return percent >= 100 && percent <= 200 ? percent : 100;
}

/** What the keys for the size of the text ask for: those of every browser. */
export function textStep(event: KeyboardEvent): TextStep | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  switch (event.key) {
    case '+':
    case '=':
      return 'larger';
    case '-':
    case '_':
      return 'smaller';
    case '0':
      return 'usual';
    default:
      return null;
  }
}

export const text = new Chosen();
