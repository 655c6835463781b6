/**
 * The stage and run jobs. BullMQ runs a parent when its dependency set is empty, for whatever reason; so each looks into
 * the record before it believes that. What is missing is added again and the parent waits again. The run job is the
 * finaliser: it writes the report.
 */
import path from 'node:path';
import type { JobData } from '../flows/job-data.ts';
import { toMarkdown, toReport } from '../flows/report.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import { addLostJobs } from '../producer/lost-jobs.ts';
import { readRun } from '../producer/read-run.ts';
import type { RunContext } from '../producer/submit.ts';
import { submitUndo } from '../producer/submit-undo.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import { type Job, WaitingChildrenError } from '../redis/queues.ts';
import { makeFolder, writeFileAtomic } from '../runtime/files.ts';
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
  await writeReport(worker, data.run, JSON.parse(meta.context ?? '{}') as RunContext);
  await worker.store.record.markFinalised(data.run);
  return { state: meta.state };
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
  if (meta !== null) await writeReport(worker, run, JSON.parse(meta.context ?? '{}') as RunContext);
  const isTree = state !== undefined && state !== 'completed';
  if (isTree) await job?.remove({ removeChildren: true });
  await worker.store.record.markFinalised(run);
  if (meta !== null) await tellRepair(worker, { what: isTree ? 'tree' : 'report', run });
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

/** `report.json` and `report.md` in the run's workspace. */
async function writeReport(worker: WorkerContext, run: string, context: RunContext): Promise<void> {
  const view = await readRun(worker.store, run);
  if (view === null) return;
  const report = toReport(view);
  // An undo run works in the folder of the run that it takes back, whose report stays.
  const name = path.resolve(
    context.projectDir,
    context.workspace,
    view.run.undoOf === undefined ? 'report' : 'undo-report',
  );
  try {
    // A run of tasks without files has made no workspace yet.
    await makeFolder(path.dirname(name));
    await writeFileAtomic(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
    await writeFileAtomic(`${name}.md`, toMarkdown(report));
  } catch (error) {
    worker.warn('cannot write the report', { run, error: String(error) });
  }
}
