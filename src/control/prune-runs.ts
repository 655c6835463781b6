/**
 * Removes what Redis keeps of runs that ended long ago: jobs, tails, the record. Files in the workspace stay. The record goes
 * last and only if the run has still ended, so that a prune that was cut short can be repeated and a retry in between wins.
 */
import { stageJobId, taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { type RunSummary, toRunSummary } from '../flows/run-view.ts';
import { isFinal } from '../plan/states.ts';
import type { Store } from '../producer/store.ts';
import { masterQueue, RUNS_QUEUE } from '../redis/keys.ts';

export interface Pruned {
  /** Ended before; oldest first. With a dry run those that would be removed. */
  runs: RunSummary[];
  /** Ended before as well, but a worker still holds a job of theirs. */
  kept: string[];
}

const RUNS_AT_ONCE = 100;
const JOBS_AT_ONCE = 50;
const TAILS_AT_ONCE = 500;

/** @param before epoch ms by which a run must have ended @param isDry only look */
export async function pruneRuns(store: Store, before: number, isDry: boolean): Promise<Pruned> {
  const pruned: Pruned = { runs: [], kept: [] };
  for await (const run of endedRuns(store, before)) {
    if (isDry || (await pruneRun(store, run.id, before))) pruned.runs.push(run);
    else pruned.kept.push(run.id);
  }
  return pruned;
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

/** @returns false when a worker holds one of its jobs, or it goes on */
async function pruneRun(store: Store, run: string, before: number): Promise<boolean> {
  const meta = await store.record.readMeta(run);
  const indexes = Array.from({ length: Number(meta?.tasks ?? 0) }, (_, index) => index);
  const nodes = (await store.record.readFields(run, 'nodes', indexes)).flatMap((text) =>
    text === null ? [] : [parseNode(text)],
  );
  const runsQueue = store.queues.queue(RUNS_QUEUE);
  const groups = nodes.reduce((most, { g }) => Math.max(most, g), 0);
  // Parents first: a child that goes would wake them.
  const parents = [run, ...Array.from({ length: groups }, (_, at) => stageJobId(run, at + 1))];
  for (const id of parents) if ((await runsQueue.remove(id, { removeChildren: false })) === 0) return false;
  for (let from = 0; from < nodes.length; from += JOBS_AT_ONCE) {
    const removed = await Promise.all(
      nodes
        .slice(from, from + JOBS_AT_ONCE)
        .map((node) =>
          store.queues.queue(masterQueue(node.m)).remove(taskJobId(run, node.id), { removeChildren: false }),
        ),
    );
    if (removed.includes(0)) return false;
  }
  for (let from = 0; from < indexes.length; from += TAILS_AT_ONCE)
    await store.redis.unlink(...indexes.slice(from, from + TAILS_AT_ONCE).map((index) => store.keys.tail(run, index)));
  return (await store.steering.prune(run, before)) !== 'kept';
}
