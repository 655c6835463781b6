/**
 * The stage and run jobs. BullMQ runs a parent when its dependency set is empty, for whatever reason; so each looks into
 * the record before it believes that. What is missing is added again and the parent waits again. The run job is the
 * finaliser: it writes the report.
 */
import type { JobData } from '../flows/job-data.ts';
import { addLostJobs } from '../producer/lost-jobs.ts';
import { submitUndo } from '../producer/submit-undo.ts';
import { writeReport } from '../producer/write-report.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import { type Job, WaitingChildrenError } from '../redis/queues.ts';
import type { WorkerContext } from './context.ts';
import { releaseEnded } from './release-ended.ts';
import { tellRepair } from './repairs.ts';
import { refuseJob, snoozeJob } from './settle.ts';

/** How soon a parent that was released too early looks again. */
const LOOK_AGAIN_MS = 1000;
const BLOCKED_LOOK_AGAIN_MS = 30_000;

/** Performs a stage job: the group is over when its gate is, or when nothing of the run moves any more. */
export async function performStage(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'stage' },
): Promise<unknown> {
  const found = await worker.store.record.conclude(data.run, data.group);
  if (found.kind === 'gone') return refuseJob(worker, job, 'no record knows this run');
  if (found.kind === 'wait') return waitAgain(worker, job, token, data.run, LOOK_AGAIN_MS);
  return { state: found.state };
}

/** Performs the run job: writes the report of a run that has ended. */
export async function performRun(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'run' },
): Promise<unknown> {
  const found = await worker.store.record.conclude(data.run, null);
  if (found.kind === 'gone') return refuseJob(worker, job, 'no record knows this run');
  if (found.kind === 'wait') {
    const ms = found.state === 'blocked' ? BLOCKED_LOOK_AGAIN_MS : LOOK_AGAIN_MS;
    return waitAgain(worker, job, token, data.run, ms);
  }
  if (found.kind === 'report') {
    worker.hook('ended');
    await submitWantedUndo(worker, data.run);
    await tryReport(worker, data.run);
    await worker.store.record.markFinalised(data.run);
  }
  return { state: found.state };
}

/**
 * Sees to a run that has ended in the record a while ago and has no report yet. What its jobs wait for in vain is let go;
 * what somebody is at work on, or a dead worker's job that BullMQ has yet to find, is waited for.
 * @param isHopeless it has had so much time that its tree is removed when nobody is at work on it
 */
export async function finaliseStuck(worker: WorkerContext, run: string, isHopeless: boolean): Promise<void> {
  const meta = await worker.store.record.readMeta(run);
  const job = await worker.store.queues.queue(RUNS_QUEUE).getJob(run);
  const state = await job?.getState();
  // It was performed while we looked: the run is marked before its job completes.
  if ((await worker.store.redis.zscore(worker.store.keys.ended, run)) === null) return;
  // A job that can still be performed will be.
  if (state === 'active' || state === 'waiting' || state === 'prioritized') return;
  if (state === 'delayed') {
    await job?.promote().catch(() => undefined);
    return;
  }
  if (state === 'waiting-children' && ((await releaseEnded(worker, run, true)) || !isHopeless)) return;
  if (meta !== null) await tryReport(worker, run);
  const isTree = state !== undefined && state !== 'completed';
  if (isTree) await job?.remove({ removeChildren: true });
  await worker.store.record.markFinalised(run);
  if (meta !== null) await tellRepair(worker, { what: isTree ? 'tree' : 'report', run });
}

async function waitAgain(worker: WorkerContext, job: Job, token: string, run: string, ms: number): Promise<never> {
  await addLostJobs(worker.store, run);
  if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
  return snoozeJob(worker, job, token, ms);
}

/** What fails here, the sweeper tries again. */
export async function submitWantedUndo(worker: WorkerContext, run: string): Promise<void> {
  const { store, config, clock } = worker;
  try {
    await submitUndo(store, config, clock, run, () => worker.hook('undone'));
  } catch (error) {
    worker.complain(error);
  }
}

async function tryReport({ store, warn }: WorkerContext, run: string): Promise<void> {
  try {
    await writeReport(store, run);
  } catch (error) {
    warn('cannot write the report', { run, error: String(error) });
  }
}
