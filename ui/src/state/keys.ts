// Keys that do something, how they are told apart, and how they are written.

import type { Attachment } from 'svelte/attachments';
import { t } from '../strings';

/** `Mod` is Command on a Mac and Control elsewhere. */
export const KEYS = {
  palette: 'Mod+K',
  find: 'Mod+F',
  search: '/',
  add: 'Mod+N',
  pull: 'Mod+L',
  archive: 'Mod+O',
  shortcuts: '?',
  // What follows is for the card or the row that has the focus.
  edit: 'F2',
  duplicate: 'Mod+D',
  remove: 'Delete',
  copyName: 'Mod+C',
} as const;

/** Whether this key was pressed; Command or Control is taken for `Mod` anywhere. */
export function pressed(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split('+');
  const key = parts.at(-1) ?? '';
  const mod = parts.includes('Mod');
  return (
    (event.ctrlKey || event.metaKey) === mod &&
    !event.altKey &&
    (key.length > 1 || /[^\w]/.test(key) || event.shiftKey === parts.includes('Shift')) &&
    event.key.toLowerCase() === key.toLowerCase()
  );
}

/** Something to do that may have keys. */
export interface Keyed {
  act: () => void;
  /** As `Mod+K`. */
  keys?: string;
}

/** On what a menu belongs to: the keys of its entries do the same while the focus is anywhere in it. */
export function keysOf(entries: () => readonly Keyed[]): Attachment<HTMLElement> {
  return (element) => {
    const keydown = (event: KeyboardEvent) => {
      if (
        event.defaultPrevented ||
        (event.target instanceof Element && event.target.closest('input, textarea'))
      )
        return;
      // Text that is marked is what Copy is for.
      if (pressed(event, KEYS.copyName) && getSelection()?.isCollapsed === false) return;
      const entry = entries().find(({ keys }) => keys && pressed(event, keys));
      if (!entry) return;
      event.preventDefault();
      entry.act();
    };
    element.addEventListener('keydown', keydown);
    return () => element.removeEventListener('keydown', keydown);
  };
}

const MAC = /mac/i.test(navigator.platform);

/** Keys as the platform writes them. */
export function keysText(keys: string): string {
  return MAC
    ? keys.replace('Mod+', '⌘').replace('Shift+', '⇧').replace('Delete', '⌦')
    : keys
        .replace('Mod+', t.shortcuts.control)
        .replace('Shift+', t.shortcuts.shift)
        .replace('Delete', t.shortcuts.delete);
}

/** Keys as assistive technology is told them (WAI-ARIA 1.2, aria-keyshortcuts). */
export function keyNames(keys: string): string {
  return keys.replace('Mod', MAC ? 'Meta' : 'Control');
}

/** What a button says about its keys, to the eye that rests on it and to the ear. */
export function keyHint(keys: string): { title: string; 'aria-keyshortcuts': string } {
  return {
    title: keysText(keys),
    'aria-keyshortcuts': keyNames(keys),
  };
}
