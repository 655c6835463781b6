/**
 * Gets the jobs of ready tasks moving whatever state BullMQ has them in: one that failed is retried, so that the tree it
 * belongs to goes on; one that is gone, or ended otherwise, is added anew; one that is on its way is left alone.
 */
import { type ReadyTask, taskJobId } from '../flows/compile.ts';
import { parseJobData } from '../flows/job-data.ts';
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import { masterQueue, RUNS_QUEUE } from '../redis/keys.ts';
import type { Clock } from '../runtime/clock.ts';
import { enqueueAgain } from './enqueue.ts';
import type { Store } from './store.ts';

const POLL_MS = 10;

/**
 * @param waitMs how long to wait for a job that a worker is just ending: the record says failed a moment before BullMQ
 *   does. One that is not ended by then stays in the outbox, for the sweeper.
 */
export async function revive(
  store: Store,
  clock: Clock,
  run: string,
  ready: readonly ReadyTask[],
  waitMs: number,
): Promise<void> {
  const moving: ReadyTask[] = [];
  const deadline = clock.monotonic() + waitMs;
  for (const task of ready) {
    while (!(await reviveOne(store, run, task))) {
      if (clock.monotonic() >= deadline) break;
      await clock.sleep(POLL_MS);
    }
    if (await isMoving(store, run, task)) moving.push(task);
  }
  await enqueueAgain(store, run, moving);
  if (moving.length > 0) await wakeRunJob(store, run);
}

/** How long a run job that is just ending is waited for. */
const RUN_JOB_WAIT_MS = 3000;

/** A run that had ended needs another run job, which writes its report again. Its children are left as they are. */
export async function reopenRunJob(store: Store, clock: Clock, run: string): Promise<void> {
  const queue = store.queues.queue(RUNS_QUEUE);
  const deadline = clock.monotonic() + RUN_JOB_WAIT_MS;
  let state = await queue.getJobState(run);
  for (; state === 'active' && clock.monotonic() < deadline; state = await queue.getJobState(run))
    await clock.sleep(POLL_MS);
  if (state === 'completed') await queue.remove(run, { removeChildren: false });
}

/** A run job that found its run blocked sleeps; with children again, it is to wait for them. */
async function wakeRunJob(store: Store, run: string): Promise<void> {
  const job = await store.queues.queue(RUNS_QUEUE).getJob(run);
  if ((await job?.getState()) === 'delayed') await job?.promote().catch(() => undefined);
}

/** @returns false while a worker is still ending the job's last attempt */
async function reviveOne(store: Store, run: string, task: ReadyTask): Promise<boolean> {
  const node = parseNode(task.node);
  const job = await store.queues.queue(masterQueue(node.m)).getJob(taskJobId(run, node.id));
  const state = await job?.getState();
  if (job === undefined || state === undefined) return true;
  const data = parseJobData(job.data);
  const isOurs = data?.kind === 'task' && data.run === run && data.index === task.index;
  // Somebody put a job of their own under this id; it would never do the task's work.
  if (!isOurs && state !== 'active') {
    await job.remove().catch(() => undefined);
    return true;
  }
  if (state === 'failed') {
    // Somebody else may have been quicker; then it is moving as well.
    await job.retry('failed', { resetAttemptsMade: true }).catch(() => undefined);
    return true;
  }
  if (state === 'completed') {
    await job.remove().catch(() => undefined);
    return true;
  }
  // Put aside for what does not hold it any more.
  if (state === 'delayed') await job.promote().catch(() => undefined);
  if (state !== 'active') return true;
  return parseTaskRecord(await store.record.readTask(run, task.index)).s !== 'ready';
}

/** Gone jobs count as moving: they are added next. Those that are still ending do not. */
async function isMoving(store: Store, run: string, task: ReadyTask): Promise<boolean> {
  const node = parseNode(task.node);
  const state = await store.queues.queue(masterQueue(node.m)).getJobState(taskJobId(run, node.id));
  if (state !== 'active') return state !== 'failed';
  return parseTaskRecord(await store.record.readTask(run, task.index)).s !== 'ready';
}
