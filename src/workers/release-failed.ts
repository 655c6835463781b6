/**
 * A failed job holds its parents in BullMQ, so that a retry lets the same tree go on. In a run that has ended with its
 * failures nobody is waited for: the failed jobs let go, and the run job writes the report.
 */
import { taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import { masterQueue } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';

/** Of a run that has ended otherwise, or goes on, nothing is touched. */
export async function releaseFailed({ store }: WorkerContext, run: string): Promise<void> {
  if ((await store.record.readMeta(run))?.state !== 'failed') return;
  const records = await store.record.readTasks(run);
  const failed = Object.keys(records).filter((index) => parseTaskRecord(records[index]).s === 'failed');
  for (const text of await store.record.readFields(run, 'nodes', failed.map(Number))) {
    if (text === null) continue;
    const node = parseNode(text);
    const job = await store.queues.queue(masterQueue(node.m)).getJob(taskJobId(run, node.id));
    // Released before, or its parent is gone: either way it holds nothing.
    if ((await job?.getState()) === 'failed') await job?.removeChildDependency().catch(() => undefined);
  }
}
