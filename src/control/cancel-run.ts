/**
 * Cancels a run: everything that has not ended is cancelled in the record at once; workers stop what is running, with
 * proof, and settle it. Jobs that wait in queues are taken out of them.
 */
import { readFile, rm } from 'node:fs/promises';
import type { RunState } from '../plan/states.ts';
import { promoteGrants } from '../producer/grants.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { taskPaths, toStatusTime, writeStatus } from '../producer/workspace.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { dropJobs } from './drop-jobs.ts';
import { findRunId, showRun } from './find-run.ts';
import { livingWorkers } from './living-workers.ts';

export interface Cancelled {
  runId: string;
  /** The state that it had. */
  before: RunState;
  /** Tasks that were running and are not settled yet; 0 when all of it has stopped. */
  stillRunning: number;
}

const POLL_MS = 50;
const SWEEP_MS = 1000;
/** Outbox entries of other runs are left to their workers. */
const OUTBOX_AGE_MS = 60_000;

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
  const stillRunning = await waitForStop(store, clock, runId, waitMs);
  await mendStatuses(store, clock, runId);
  return { runId, before, stillRunning };
}

async function waitForStop(store: Store, clock: Clock, run: string, waitMs: number): Promise<number> {
  const deadline = clock.monotonic() + waitMs;
  for (let sweepAt = clock.monotonic(); ; ) {
    const meta = await store.record.readMeta(run);
    const running = Number(meta?.['n:running'] ?? 0);
    if (running === 0 || clock.monotonic() > deadline) return running;
    if (clock.monotonic() >= sweepAt) {
      await sweepInstead(store, clock);
      sweepAt = clock.monotonic() + SWEEP_MS;
    }
    await clock.sleep(POLL_MS);
  }
}

/** The files of tasks that were cancelled without a worker's doing would go on saying running or blocked. */
async function mendStatuses(store: Store, clock: Clock, run: string): Promise<void> {
  const [meta, view] = await Promise.all([store.record.readMeta(run), showRun(store, run)]);
  const context = JSON.parse(meta?.context ?? '{}') as RunContext;
  for (const task of view.tasks) {
    if (task.state !== 'cancelled') continue;
    const paths = taskPaths(context.projectDir, context.workspace, task.id);
    const text = await readFile(paths.statusFile, 'utf8').catch(() => '');
    if (!/"status":"(running|blocked)"/.test(text)) continue;
    await writeStatus(paths, {
      task_id: task.id,
      status: 'failed',
      completed_at: toStatusTime(clock.now()),
      error: 'Cancelled',
    });
    await rm(paths.pidFile, { force: true });
  }
}

/** Where no worker lives, nobody settles the tasks of dead ones when their leases have run out. */
async function sweepInstead(store: Store, clock: Clock): Promise<void> {
  if ((await livingWorkers(store, clock)).length > 0) return;
  const { grants } = await store.record.sweep(OUTBOX_AGE_MS);
  await promoteGrants(store, grants);
}
