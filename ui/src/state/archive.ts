// Which dropped files are image archives, as far as a name can tell; the owner reads them.

import { t } from '../strings';

const ENDINGS = ['.tar', '.tar.gz', '.tgz', '.tar.zst', '.tzst'];

/** The last part of a path, on any system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** Whether the name is one an image archive has. */
export function looksLikeArchive(path: string): boolean {
  const name = fileName(path).toLowerCase();
  return ENDINGS.some((ending) => name.endsWith(ending) && name.length > ending.length);
}

/** Whether a path begins at the root, on any system. */
export function isAbsolute(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** What is wrong with the path of a file, as a sentence; null if nothing is. */
export function pathFlaw(path: string): string | null {
  const text = path.trim();
  if (text === '') return t.archive.pathEmpty;
  return isAbsolute(text) ? null : t.archive.pathRelative;
}
