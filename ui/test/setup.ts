// What jsdom does not have and the window needs.

import { configure } from '@testing-library/svelte';
import { afterEach, beforeEach, vi } from 'vitest';

// What a test waits for comes with an event; on a loaded machine, later than the usual second.
configure({ asyncUtilTimeout: 10_000 });

HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};

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
