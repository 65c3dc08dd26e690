// The pages of the window, in the order of their tabs and of Ctrl+1, Ctrl+2, …

import type { View } from '../backend/backend';

/** Pages with a tab. */
export const VIEWS = ['registries', 'images', 'transfers', 'doctor', 'settings'] as const satisfies View[];
