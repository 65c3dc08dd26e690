// Keys that do something, how they are told apart, and how they are written.

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

const MAC = /mac/i.test(navigator.platform);

/** Keys as the platform writes them. */
export function keysText(keys: string): string {
  return MAC
    ? keys.replace('Mod+', '⌘').replace('Shift+', '⇧')
    : keys.replace('Mod+', t.shortcuts.control).replace('Shift+', t.shortcuts.shift);
}

/** What a button says about its keys, to the eye that rests on it and to the ear (WAI-ARIA 1.2, aria-keyshortcuts). */
export function keyHint(keys: string): { title: string; 'aria-keyshortcuts': string } {
  return {
    title: keysText(keys),
    'aria-keyshortcuts': keys.replace('Mod', MAC ? 'Meta' : 'Control'),
  };
}
