// Light or dark: the system's, or what a person chose.

import { keep, read } from './language.svelte';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'dockline.theme';

class Chosen {
  choice = $state<Theme>(THEMES.find((theme) => theme === read(KEY)) ?? 'system');

  choose(choice: Theme): void {
    this.choice = choice;
    keep(KEY, choice === 'system' ? null : choice);
  }
}

export const theme = new Chosen();
