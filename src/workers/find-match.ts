/**
 * Looks for one file or folder that matches a glob, below the part of the pattern that has no wildcard. Every folder is
 * opened and compared with where it may lie before it is read; links are not followed.
 */
import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { isGlob, matchGlob } from '../plan/glob.ts';
import { findRefusal, openInside, type Wanted } from '../runtime/open-inside.ts';

/** More entries than this below the fixed part are not looked at. */
const ENTRY_LIMIT = 200_000;

/**
 * @param pattern absolute, with `*`, `?` or `**`
 * @param wanted what a match must be; one that is something else does not count
 */
export async function hasMatch(pattern: string, wanted: Wanted): Promise<boolean> {
  const parts = pattern.split(path.sep);
  const fixedCount = parts.findIndex(isGlob);
  const root = parts.slice(0, fixedCount).join(path.sep);
  const rest = parts.slice(fixedCount).join('/');
  const isMatch = async (full: string): Promise<boolean> =>
    matchGlob(rest, path.relative(root, full).split(path.sep).join('/')) && (await findRefusal(full, wanted)) === null;
  let left = ENTRY_LIMIT;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const { name, isFolder } of listFolder(folder, wanted.roots)) {
      if (--left < 0) return false;
      const full = path.join(folder, name);
      if (await isMatch(full)) return true;
      if (isFolder) folders.push(full);
    }
  }
  return false;
}

/** What is not there, not readable or leads outside has no entries. */
async function* listFolder(
  folder: string,
  roots: readonly string[],
): AsyncGenerator<{ name: string; isFolder: boolean }, void, void> {
  const opened = await openInside(folder, { roots, kind: 'folder' });
  if (!opened.ok) return;
  try {
    for await (const entry of await opendir(opened.value.through))
      yield { name: entry.name, isFolder: entry.isDirectory() };
  } catch {
    // Went away, or may not be listed.
  } finally {
    await opened.value.handle.close();
  }
}
