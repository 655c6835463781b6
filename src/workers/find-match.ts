/**
 * Looks for one file that matches a glob, below the part of the pattern that has no wildcard. Links are not followed.
 */
import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { isGlob, matchGlob } from '../plan/glob.ts';

/** More entries than this below the fixed part are not looked at. */
const ENTRY_LIMIT = 200_000;

/** @param pattern absolute, with `*`, `?` or `**` */
export async function hasMatch(pattern: string): Promise<boolean> {
  const parts = pattern.split(path.sep);
  const fixedCount = parts.findIndex(isGlob);
  const root = parts.slice(0, fixedCount).join(path.sep);
  const rest = parts.slice(fixedCount).join('/');
  let left = ENTRY_LIMIT;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const entry of await opendir(folder)) {
        if (--left < 0) return false;
        const full = path.join(folder, entry.name);
        if (matchGlob(rest, path.relative(root, full).split(path.sep).join('/'))) return true;
        if (entry.isDirectory()) folders.push(full);
      }
    } catch {
      // Not there or not readable: nothing in it matches.
    }
  }
  return false;
}
