/**
 * A cheap fingerprint of what an agent has written: changes when a file appears, goes, grows or is touched.
 */
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Entries looked at; a folder with more is judged by the first ones. */
const MAX_ENTRIES = 2000;
const MAX_DEPTH = 8;

interface Sum {
  entries: number;
  bytes: number;
  newestMs: number;
}

/**
 * The fingerprint of files and folders, links not followed. What does not exist or cannot be read counts as nothing.
 * @param roots absolute paths
 */
export async function fingerprint(roots: readonly string[]): Promise<string> {
  const sum: Sum = { entries: 0, bytes: 0, newestMs: 0 };
  for (const root of roots) await add(root, sum, 0);
  return `${sum.entries} ${sum.bytes} ${sum.newestMs}`;
}

async function add(entry: string, sum: Sum, depth: number): Promise<void> {
  if (sum.entries >= MAX_ENTRIES) return;
  const stat = await lstat(entry).catch(() => undefined);
  if (stat === undefined) return;
  sum.entries++;
  sum.bytes += stat.size;
  sum.newestMs = Math.max(sum.newestMs, stat.mtimeMs);
  if (!stat.isDirectory() || depth >= MAX_DEPTH) return;
  for (const name of await readdir(entry).catch(() => [])) await add(path.join(entry, name), sum, depth + 1);
}
