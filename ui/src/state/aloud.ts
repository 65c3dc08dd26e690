// Words on the page that a screen reader is to be told when they appear and when they change. They go through the one
// live region: a region that comes into being together with its words is not heard.

import type { Attachment } from 'svelte/attachments';
import type { Store } from './store.svelte';

/**
 * Has the words of an element told, unless `silent` says yes when they come. Other programs' own words in it are left out,
 * and so are its buttons.
 */
export function aloud(store: Store, silent: () => boolean = () => false): Attachment {
  return (element) => {
    let last = '';
    const tell = () => {
      const words = wordsOf(element);
      if (words !== last && !silent()) store.speak(words, last);
      last = words;
    };
    tell();
    const observer = new MutationObserver(tell);
    observer.observe(element, { childList: true, characterData: true, subtree: true });
    return () => observer.disconnect();
  };
}

/**
 * Goes to the first field that will not do, and says why. What is wrong with half a word was shown, and not said into the
 * typing.
 */
export function toFlaw(form: Element, store: Store): void {
  const field = form.querySelector<HTMLElement>('[aria-invalid="true"]');
  if (!field) return;
  field.focus();
  const told = field.getAttribute('aria-describedby')?.split(' ') ?? [];
  store.speak(
    told
      .flatMap((id) => document.getElementById(id) ?? [])
      .map(wordsOf)
      .join(' '),
  );
}

/** The words of an element, as they are said. */
export function wordsOf(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  copy.querySelectorAll('pre, button').forEach((part) => part.remove());
  // Paragraphs are sentences of their own, though nothing stands between them in the text.
  copy.querySelectorAll('p, dt, dd, li').forEach((part) => part.append(' '));
  copy.querySelectorAll('label').forEach((part) => part.append('. '));
  return copy.textContent.replace(/\s+/g, ' ').trim();
}
