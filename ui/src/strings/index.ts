// The words of the language that is chosen. Reading one is tracked, so that a change of language redraws what shows it.

import { language, type Language } from '../state/language.svelte';
import { en } from './en';
import { nl } from './nl';

/** What every language has: the compiler sees to it (`const nl: Strings`), and a test. */
export type Strings = typeof en;

export const languages: Record<Language, Strings> = { en, nl };

/** The language as `Intl` names it. */
export function locale(): Language {
  return language.current;
}

export const t: Strings = new Proxy(en, {
  get: (_, key) => Reflect.get(languages[language.current], key) as unknown,
});
