/**
 * Removes ended runs that the keep rules give up, a few at a time, in one worker of the fleet at a time. Records only; files
 * stay. What cannot go yet is passed over until all else has gone, so that it keeps nothing from going.
 */
import { pruneRun } from '../producer/prune-run.ts';
import type { WorkerContext } from './context.ts';

/** Bounds of one pass; a run counts as its tasks. */
const RUNS_PER_PASS = 50;
const TASKS_PER_PASS = 2000;

/** A pass that takes longer than this has died. */
const PASS_MS = 60_000;

/** The fleet makes one pass in so many sweeps. */
const SWEEPS_PER_PASS = 2;

/** Most runs that are passed over. */
const KEPT_AT_MOST = 100;

/** Remembers what could not be removed. */
export interface Pruner {
  /** One pass. @returns how many runs were removed; null when another worker does it, or did a moment ago */
  pruneOnce(): Promise<number | null>;
}

export function createPruner(worker: WorkerContext): Pruner {
  const { store, config, workerId } = worker;
  const kept = new Set<string>();
  const prune = async (): Promise<number> => {
    const found = await store.steering.findDue(config.keep, RUNS_PER_PASS + kept.size);
    const due = found.filter(({ run }) => !kept.has(run));
    if (due.length === 0) kept.clear();
    let pruned = 0;
    let tasks = 0;
    for (const { run, endedAt } of due) {
      if (worker.isQuiet() || tasks >= TASKS_PER_PASS) break;
      tasks += Number((await store.record.readMeta(run))?.tasks ?? 0);
      if (await pruneRun(store, run, endedAt)) pruned++;
      else if (kept.size < KEPT_AT_MOST) kept.add(run);
    }
    if (pruned > 0) await store.steering.tellPruned(pruned, workerId);
    return pruned;
  };
  return {
    pruneOnce: async () => {
      const { pruner } = store.keys;
      if ((await store.redis.set(pruner, workerId, 'PX', PASS_MS, 'NX')) === null) return null;
      try {
        return await prune();
      } finally {
        await store.redis.pexpire(pruner, Math.round(config.times.sweepMs * SWEEPS_PER_PASS * 0.9));
      }
    },
  };
}
