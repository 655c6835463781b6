/**
 * The stage and run jobs. BullMQ runs a parent when its dependency set is empty, for whatever reason; so each looks into
 * the record before it believes that. What is missing is added again and the parent waits again. The run job is the
 * finaliser: it writes the report.
 */
import type { JobData } from '../flows/job-data.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import { addLostJobs } from '../producer/lost-jobs.ts';
import type { RunContext } from '../producer/submit.ts';
import { submitUndo } from '../producer/submit-undo.ts';
import { writeReport } from '../producer/write-report.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import { type Job, WaitingChildrenError } from '../redis/queues.ts';
import type { WorkerContext } from './context.ts';
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
  const meta = await worker.store.record.readMeta(data.run);
  if (meta === null) return refuseJob(worker, job, 'no record knows this run');
  if (!goesOn(meta)) return { state: meta.state };
  const gate = (JSON.parse(meta.gates ?? '{}') as Record<string, number>)[data.group];
  const isOver = gate === undefined ? nothingLeft(meta) : await isGateOver(worker, data.run, gate);
  return isOver ? { state: 'completed' } : waitAgain(worker, job, token, data.run, LOOK_AGAIN_MS);
}

/** Performs the run job: writes the report of a run that has ended. */
export async function performRun(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'run' },
): Promise<unknown> {
  const meta = await worker.store.record.readMeta(data.run);
  if (meta === null) return refuseJob(worker, job, 'no record knows this run');
  if (goesOn(meta)) return waitAgain(worker, job, token, data.run, LOOK_AGAIN_MS);
  if (meta.state === 'blocked') return waitAgain(worker, job, token, data.run, BLOCKED_LOOK_AGAIN_MS);
  worker.hook('ended');
  await submitWantedUndo(worker, data.run);
  await tryReport(worker, data.run, JSON.parse(meta.context ?? '{}') as RunContext);
  await worker.store.record.markFinalised(data.run);
  return { state: meta.state };
}

/**
 * Finalises a run that has ended in the record while its run job waits for children that will never come: somebody put
 * foreign jobs into the tree, or took parts of it away. The rest of the tree is removed.
 */
export async function finaliseStuck(worker: WorkerContext, run: string): Promise<void> {
  const meta = await worker.store.record.readMeta(run);
  const job = await worker.store.queues.queue(RUNS_QUEUE).getJob(run);
  const state = await job?.getState();
  // A job that can still be performed will be.
  if (state === 'active' || state === 'waiting' || state === 'prioritized') return;
  if (meta !== null) await tryReport(worker, run, JSON.parse(meta.context ?? '{}') as RunContext);
  if (state !== undefined && state !== 'completed') {
    worker.warn('the job tree of an ended run was damaged and is removed', { run });
    await job?.remove({ removeChildren: true });
  }
  await worker.store.record.markFinalised(run);
}

/** A paused run has tasks that wait for the end of the pause. */
function goesOn({ state }: Readonly<Record<string, string>>): boolean {
  return state === 'running' || state === 'paused';
}

function nothingLeft(meta: Readonly<Record<string, string>>): boolean {
  return ['pending', 'ready', 'running', 'parked'].every((state) => Number(meta[`n:${state}`] ?? 0) === 0);
}

async function isGateOver(worker: WorkerContext, run: string, gate: number): Promise<boolean> {
  return parseTaskRecord(await worker.store.record.readTask(run, gate)).s !== 'pending';
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

async function tryReport({ store, warn }: WorkerContext, run: string, context: RunContext): Promise<void> {
  try {
    await writeReport(store, run, context);
  } catch (error) {
    warn('cannot write the report', { run, error: String(error) });
  }
}
