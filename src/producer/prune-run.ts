/**
 * Removes what Redis keeps of one ended run: jobs, tails, the record. Files in the workspace stay. The record goes last and
 * only if the run has still ended, so that a prune that was cut short can be repeated and a retry in between wins.
 */
import { stageJobId, taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { masterQueue, RUNS_QUEUE } from '../redis/keys.ts';
import type { Store } from './store.ts';

const JOBS_AT_ONCE = 50;
const TAILS_AT_ONCE = 500;

/**
 * @param before epoch ms by which it must have ended
 * @returns false when a worker holds one of its jobs, it goes on, or its undo does
 */
export async function pruneRun(store: Store, run: string, before: number): Promise<boolean> {
  const meta = await store.record.readMeta(run);
  if (meta?.undo === 'wanted') return false;
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
