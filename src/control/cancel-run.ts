/**
 * Cancels a run: everything that has not ended is cancelled in the record at once; workers stop what is running, with
 * proof, and settle it. Jobs that wait in queues are taken out of them.
 */
import { taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import type { RunState } from '../plan/states.ts';
import { promoteGrants } from '../producer/grants.ts';
import type { Store } from '../producer/store.ts';
import { masterQueue } from '../redis/keys.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { findRunId } from './find-run.ts';

export interface Cancelled {
  runId: string;
  /** The state that it had. */
  before: RunState;
  /** Tasks that were running and are not settled yet; 0 when all of it has stopped. */
  stillRunning: number;
}

const POLL_MS = 50;

/**
 * @param waitMs how long to wait for running tasks to be stopped
 * @throws PlanqError `run_not_found`; `wrong_state` when the run has ended already
 */
export async function cancelRun(
  store: Store,
  clock: Clock,
  text: string | undefined,
  waitMs: number,
): Promise<Cancelled> {
  const runId = await findRunId(store, text);
  const reply = await store.record.cancel(runId);
  const before = (reply.state ?? 'cancelled') as RunState;
  if (before === 'completed' || before === 'failed') {
    throw new PlanqError('wrong_state', `cannot cancel run ${runId}: it has ${before} already`, {
      facts: { state: before },
    });
  }
  await dropJobs(store, runId, reply.queued);
  await promoteGrants(store, reply.grants);
  return { runId, before, stillRunning: await waitForStop(store, clock, runId, waitMs) };
}

async function dropJobs(store: Store, run: string, indexes: readonly number[]): Promise<void> {
  if (indexes.length === 0) return;
  const nodes = await store.record.readFields(run, 'nodes', indexes);
  for (const text of nodes) {
    if (text === null) continue;
    const node = parseNode(text);
    const job = await store.queues.queue(masterQueue(node.m)).getJob(taskJobId(run, node.id));
    if (job === undefined) continue;
    // A failed job stays to be seen, but no longer holds its parent; one that a worker has just taken is declined there.
    if ((await job.getState()) === 'failed') await job.removeChildDependency().catch(() => undefined);
    else await job.remove().catch(() => undefined);
  }
}

async function waitForStop(store: Store, clock: Clock, run: string, waitMs: number): Promise<number> {
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    const meta = await store.record.readMeta(run);
    const running = Number(meta?.['n:running'] ?? 0);
    if (running === 0 || clock.monotonic() > deadline) return running;
    await clock.sleep(POLL_MS);
  }
}
