// Which of the things that were dropped are image archives, as far as can be told before the owner reads them: files by
// their names, folders by what the shell says of them.

import type { Dropped } from '../backend/backend';
import { t } from '../strings';
import { listed } from './refused';

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

/** Those to push, and what is to be said of the others. */
export function judged({ paths, folders = [] }: Dropped): { good: string[]; refusal: string | null } {
  const layouts = new Map(folders.map(({ path, isLayout }) => [path, isLayout]));
  const good = paths.filter((path) => layouts.get(path) ?? looksLikeArchive(path));
  const bad = paths.filter((path) => !good.includes(path));
  const names = (inFolders: boolean) => bad.filter((path) => layouts.has(path) === inFolders).map(fileName);
  const refused = (names: string[], say: (names: string, count: number) => string) =>
    names.length === 0 ? [] : [say(listed(names), names.length)];
  const reasons = [
    ...refused(names(false), t.archive.refused),
    ...refused(names(true), t.archive.refusedFolder),
  ];
  return { good, refusal: reasons.length === 0 ? null : reasons.join(' ') };
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
