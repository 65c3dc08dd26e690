// What jsdom does not have and the window needs.

import { configure } from '@testing-library/svelte';
import { afterAll, afterEach, beforeEach, vi } from 'vitest';

// What a test waits for comes with an event; on a loaded machine, later than the usual second.
configure({ asyncUtilTimeout: 10_000 });

HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};

// In a browser a page's timers end with it. Here they are Node's, and would go on when there is no document any more.
const timers = new Set<ReturnType<typeof setTimeout>>();
function ending<Begin extends typeof setTimeout | typeof setInterval>(begin: Begin): Begin {
  return new Proxy(begin, {
    apply(target, page, given) {
      const timer = Reflect.apply(target, page, given);
      timers.add(timer);
      return timer;
    },
  });
}
globalThis.setTimeout = ending(globalThis.setTimeout);
globalThis.setInterval = ending(globalThis.setInterval);
afterAll(() => timers.forEach((timer) => clearTimeout(timer)));

beforeEach(() => {
  // Frames come when a test asks for them by waiting, not on a screen's beat.
  vi.stubGlobal('requestAnimationFrame', (draw: FrameRequestCallback) =>
    setTimeout(() => draw(performance.now()), 0),
  );
});

afterEach(() => vi.unstubAllGlobals());

// As in every browser since 2020 (File API, 3.3.3).
Blob.prototype.text ??= function text(this: Blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsText(this);
  });
};
