/**
 * Adds jobs again that BullMQ has lost (a drained queue, a removed child): whatever the record calls ready or parked.
 * A job that is still there is not added twice.
 */
import type { ReadyTask } from '../flows/compile.ts';
import { needsJob, parseTaskRecord } from '../flows/run-view.ts';
import { enqueueAgain } from './enqueue.ts';
import type { Store } from './store.ts';

/** @returns how many tasks should have a job */
export async function addLostJobs(store: Store, run: string): Promise<number> {
  const records = await store.record.readTasks(run);
  const waiting = Object.keys(records)
    .filter((index) => needsJob(parseTaskRecord(records[index])))
    .map(Number);
  if (waiting.length === 0) return 0;
  const nodes = await store.record.readFields(run, 'nodes', waiting);
  const ready = waiting.flatMap((index, at): ReadyTask[] => (nodes[at] === null ? [] : [{ index, node: nodes[at]! }]));
  await enqueueAgain(store, run, ready);
  return ready.length;
}
