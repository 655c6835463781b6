/** Removes what Redis keeps of runs that ended long ago, or tells which the keep rules give up. */
import { type RunSummary, toRunSummary } from '../flows/run-view.ts';
import { isFinal } from '../plan/states.ts';
import { pruneRun } from '../producer/prune-run.ts';
import type { Store } from '../producer/store.ts';
import type { KeepRules } from '../runtime/config.ts';

export interface Pruned {
  /** Ended before; oldest first. With a dry run those that would be removed. */
  runs: RunSummary[];
  /** Ended before as well, but a worker still holds a job of theirs, or their undo goes on. */
  kept: string[];
}

const RUNS_AT_ONCE = 100;

/** @param before epoch ms by which a run must have ended @param isDry only look */
export async function pruneRuns(store: Store, before: number, isDry: boolean): Promise<Pruned> {
  const pruned: Pruned = { runs: [], kept: [] };
  for await (const run of endedRuns(store, before)) {
    if (isDry || (await pruneRun(store, run.id, before))) pruned.runs.push(run);
    else pruned.kept.push(run.id);
  }
  return pruned;
}

/** Most that a look at the keep rules lists. */
const LISTED_AT_MOST = 10_000;

/** Ended runs that the fleet would prune by the keep rules, oldest first. Removes nothing. */
export async function listDueRuns(store: Store, rules: KeepRules): Promise<RunSummary[]> {
  const due = await store.steering.findDue(rules, LISTED_AT_MOST);
  const metas = await Promise.all(due.map(({ run }) => store.record.readMeta(run)));
  return due.flatMap(({ run }, at) => (metas[at] ? [toRunSummary(run, metas[at])] : []));
}

/** A run that ended before was made before. */
async function* endedRuns(store: Store, before: number): AsyncGenerator<RunSummary, void, void> {
  for (const id of await listOldRuns(store, before)) {
    const meta = await store.record.readMeta(id);
    if (meta === null) continue;
    const run = toRunSummary(id, meta);
    if (isDue(run, before)) yield run;
  }
}

/** All ids before any is removed, so that no page moves under the reader. */
async function listOldRuns(store: Store, before: number): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await store.redis.zrangebyscore(store.keys.runs, '-inf', before, 'LIMIT', ids.length, RUNS_AT_ONCE);
    ids.push(...page);
    if (page.length < RUNS_AT_ONCE) return ids;
  }
}

function isDue({ state, finishedAt, counts }: RunSummary, before: number): boolean {
  return isFinal(state) && finishedAt !== null && Date.parse(finishedAt) <= before && counts.running === 0;
}
