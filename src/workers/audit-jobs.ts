/**
 * Whatever the record calls ready or parked must have a job on its way. A drained queue, a removed child, a refused insert,
 * a hash that no set names: the job is added again.
 */
import { taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { needsJob, parseTaskRecord } from '../flows/run-view.ts';
import { revive } from '../producer/revive.ts';
import type { LostJob } from '../redis/audits.ts';
import { masterQueue } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';
import { tellRepair } from './repairs.ts';

/** @param records some of the run's tasks, by index */
export async function findLost(
  worker: WorkerContext,
  run: string,
  records: Readonly<Record<string, string>>,
): Promise<LostJob[]> {
  const waiting = Object.keys(records).filter((index) => needsJob(parseTaskRecord(records[index])));
  return worker.store.audits.findLostJobs(run, waiting.map(Number));
}

/** Looks again, and adds what is still lost. */
export async function bringBack(worker: WorkerContext, run: string, indexes: readonly number[]): Promise<void> {
  const { store, clock } = worker;
  for (const task of await store.audits.findLostJobs(run, indexes)) {
    const { id, m } = parseNode(task.node);
    // As long as its hash is there BullMQ adds no other job under its id.
    if (task.why === 'nowhere') await store.queues.queue(masterQueue(m)).remove(taskJobId(run, id));
    await revive(store, clock, run, [task], 0);
    await tellRepair(worker, { what: 'job', run, task: { index: task.index, id } });
  }
}
