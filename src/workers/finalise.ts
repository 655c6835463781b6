/**
 * The stage and run jobs. BullMQ runs a parent when its dependency set is empty, for whatever reason; so each looks into
 * the record before it believes that. What is missing is added again and the parent waits again. The run job is the
 * finaliser: it writes the report.
 */
import path from 'node:path';
import type { JobData } from '../flows/job-data.ts';
import { toMarkdown, toReport } from '../flows/report.ts';
import { addLostJobs } from '../producer/lost-jobs.ts';
import { readRun } from '../producer/read-run.ts';
import type { RunContext } from '../producer/submit.ts';
import { submitUndo } from '../producer/submit-undo.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import { type Job, WaitingChildrenError } from '../redis/queues.ts';
import { makeFolder, writeFileAtomic } from '../runtime/files.ts';
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
    await writeReport(worker, data.run);
    await worker.store.record.markFinalised(data.run);
  }
  return { state: found.state };
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
  if (meta !== null) await writeReport(worker, run);
  if (state !== undefined && state !== 'completed') {
    worker.warn('the job tree of an ended run was damaged and is removed', { run });
    await job?.remove({ removeChildren: true });
  }
  await worker.store.record.markFinalised(run);
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

/** `report.json` and `report.md` in the run's workspace; a run that leaves no files has neither. */
async function writeReport(worker: WorkerContext, run: string): Promise<void> {
  const [meta, view] = await Promise.all([worker.store.record.readMeta(run), readRun(worker.store, run)]);
  if (meta === null || view === null || meta.noFiles !== undefined) return;
  const context = JSON.parse(meta.context ?? '{}') as RunContext;
  const report = toReport(view);
  // An undo run works in the folder of the run that it takes back, whose report stays.
  const name = path.resolve(
    context.projectDir,
    context.workspace,
    view.run.undoOf === undefined ? 'report' : 'undo-report',
  );
  try {
    // A run that was cancelled before any task began has made no workspace yet.
    await makeFolder(path.dirname(name));
    await writeFileAtomic(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
    await writeFileAtomic(`${name}.md`, toMarkdown(report));
  } catch (error) {
    worker.warn('cannot write the report', { run, error: String(error) });
  }
}
