/**
 * What dead workers left running on this machine. A worker's guardian kills its agents; when both died at once, the next
 * worker does, before it claims anything.
 */
import type { Clock } from '../runtime/clock.ts';
import { environmentOf, isAlive, isLive, listProcesses, MARKER, type ProcessInfo } from './proc.ts';
import { killTrees, Tree } from './programs/tree.mjs';
import { readMark, thisPlace } from './worker-mark.ts';

export interface Leftover {
  /** The id of the worker that is gone. */
  worker: string;
  /** Numbers of the processes found, oldest first. */
  found: number[];
  /** Of those, the ones that could not be killed; empty is the rule. */
  survivors: number[];
}

/** One attempt's processes, oldest first. */
interface Orphans {
  worker: string;
  token: string;
  members: ProcessInfo[];
}

/**
 * Kills what carries the mark of a worker of this place that is gone, and proves it. Nobody waits for a goodbye here: the
 * task may be running again elsewhere.
 * @param place whose workers' marks are looked for; that of this process, except in tests, which run beside other workers
 * @returns one entry per attempt
 */
export async function killLeftovers(clock: Clock, place = thisPlace()): Promise<Leftover[]> {
  const orphans = findOrphans(place);
  const trees = orphans.map(({ token, members }) => new Tree({ ...members[0]!, token }, members));
  const found = trees.map((tree) => tree.look().map(({ pid }) => pid));
  const survivors = await killTrees(trees, (ms) => clock.sleep(ms));
  return orphans.map(({ worker }, at) => ({ worker, found: found[at]!, survivors: survivors[at]! }));
}

function findOrphans(place: string): Orphans[] {
  // A worker may itself run inside an attempt, and is no leftover of it.
  const own = environmentOf('self')?.get(MARKER);
  const orphans = new Map<string, Orphans>();
  const table = listProcesses().filter(isLive);
  for (const info of table.sort((a, b) => Number(a.startTime) - Number(b.startTime))) {
    const env = environmentOf(info.pid);
    const [mark, token] = [env && readMark(env), env?.get(MARKER)];
    if (mark === undefined || token === undefined || token === '' || token === own) continue;
    if (mark.place !== place || isAlive(mark)) continue;
    const entry = orphans.get(token) ?? { worker: mark.id, token, members: [] };
    entry.members.push(info);
    orphans.set(token, entry);
  }
  return [...orphans.values()];
}
