// Which language: the system's, or what a person chose. The owner keeps the choice; the web view's own storage has it
// too, so that the first frame is right before the owner has answered.

export type Language = 'en' | 'nl';
export const LANGUAGES: readonly Language[] = ['en', 'nl'];
export type Choice = Language | 'system';

const KEY = 'dockline.language';

class Chosen {
  choice = $state<Choice>('system');
  #system = $state<Language>('en');

  constructor() {
    const kept = read(KEY);
    if (isLanguage(kept)) this.choice = kept;
    const wanted = navigator.languages ?? [navigator.language];
    this.#system = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
  }

  get current(): Language {
    return this.choice === 'system' ? this.#system : this.choice;
  }

  choose(choice: Choice): void {
    this.choice = choice;
    keep(KEY, choice === 'system' ? null : choice);
  }
}

function isLanguage(text: string | null | undefined): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** What was kept; nothing where the web view has no storage. */
export function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a small text; null forgets it. */
export function keep(key: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // Without storage it holds until the window is closed.
  }
}

export const language = new Chosen();
