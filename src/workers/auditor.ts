/**
 * Compares the record with BullMQ, a page of a few runs at a time: whatever the record calls ready or parked must have a
 * job that has not ended. A drained queue, a removed child, a refused insert: the job is added again.
 */
import { type ReadyTask, taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { needsJob, parseTaskRecord } from '../flows/run-view.ts';
import { revive } from '../producer/revive.ts';
import { masterQueue } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';

/** Runs looked at in one pass. */
const RUNS_PER_PASS = 5;

/** Remembers how far each run has been gone through. */
export interface Auditor {
  /** One pass. @returns how many jobs were brought back */
  auditOnce(): Promise<number>;
}

export function createAuditor(worker: WorkerContext): Auditor {
  const cursors = new Map<string, string>();
  const auditRun = async (run: string): Promise<number> => {
    const page = await worker.store.record.scanTasks(run, cursors.get(run) ?? '0');
    if (page.cursor === '0') cursors.delete(run);
    else cursors.set(run, page.cursor);
    const lost = await findLost(worker, run, page.records);
    await revive(worker.store, worker.clock, run, lost, 0);
    for (const task of lost) worker.warn('a job was lost and is added again', { run, task: parseNode(task.node).id });
    return lost.length;
  };
  return {
    auditOnce: async () => {
      let found = 0;
      for (const run of await worker.store.record.someLiveRuns(RUNS_PER_PASS)) found += await auditRun(run);
      return found;
    },
  };
}

async function findLost(worker: WorkerContext, run: string, records: Record<string, string>): Promise<ReadyTask[]> {
  const waiting = Object.keys(records)
    .filter((index) => needsJob(parseTaskRecord(records[index])))
    .map(Number);
  if (waiting.length === 0) return [];
  const nodes = await worker.store.record.readFields(run, 'nodes', waiting);
  const tasks = waiting.flatMap((index, at): ReadyTask[] => (nodes[at] === null ? [] : [{ index, node: nodes[at]! }]));
  const ended = await worker.store.record.findEndedJobs(tasks.map((task) => jobKey(worker, run, task)));
  return tasks.filter((_, at) => ended[at]);
}

function jobKey(worker: WorkerContext, run: string, task: ReadyTask): string {
  const node = parseNode(task.node);
  return `${worker.store.keys.base}:${masterQueue(node.m)}:${taskJobId(run, node.id)}`;
}
