/**
 * What a settled task lets go, as far as the settle script has not seen to it: jobs of tasks that became ready, and waiters
 * that got what they waited for.
 */
import { compileReady, type ReadyTask, stageJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { enqueue, stageJobExists } from '../producer/enqueue.ts';
import { promoteGrants } from '../producer/grants.ts';
import type { Job } from '../redis/queues.ts';
import type { SettleReply } from '../redis/replies.ts';
import type { WorkerContext } from './context.ts';

/** Adds what became ready and wakes the waiters that got what they waited for. */
export async function letGo(
  worker: WorkerContext,
  job: Job,
  run: string,
  reply: Pick<SettleReply, 'outbox' | 'grants'>,
): Promise<void> {
  await enqueueReady(worker, job, run, reply.outbox);
  await promoteGrants(worker.store, reply.grants);
}

export async function enqueueReady(
  worker: WorkerContext,
  job: Job,
  run: string,
  ready: readonly ReadyTask[],
): Promise<void> {
  if (ready.length === 0) return;
  const parentId = job.parent?.id ?? null;
  const from = { group: groupOf(run, parentId), parentId };
  const opened = new Set(ready.map((task) => parseNode(task.node).g).filter((group) => group > from.group));
  // A group whose stage job is there already was opened before: a retry brings late tasks of it.
  for (const group of opened)
    if (await stageJobExists(worker.store, run, group)) from.group = Math.max(from.group, group);
  await enqueue(worker.store, run, ready, compileReady(run, ready, from));
}

function groupOf(run: string, parentId: string | null): number {
  const prefix = stageJobId(run, 0).slice(0, -1);
  return parentId?.startsWith(prefix) ? Number(parentId.slice(prefix.length)) : 0;
}
