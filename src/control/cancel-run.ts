/**
 * Cancels a run: everything that has not ended is cancelled in the record at once; workers stop what is running, with
 * proof, and settle it. Jobs that wait in queues are taken out of them. With undo, a run of its own then takes back what has
 * completed: submitted here when all has stopped, else by the worker that ends the run.
 */
import { readFile, rm, stat } from 'node:fs/promises';
import { toRunSummary } from '../flows/run-view.ts';
import type { Plan } from '../plan/plan.ts';
import { stagesOf } from '../plan/stages.ts';
import type { RunState } from '../plan/states.ts';
import { promoteGrants } from '../producer/grants.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { readUndoPlan, submitUndo } from '../producer/submit-undo.ts';
import { taskPaths, toStatusTime, writeStatus } from '../producer/workspace.ts';
import { writeReport } from '../producer/write-report.ts';
import type { CancelReply } from '../redis/replies.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
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
  /** With undo: what was asked for, and what has come of it so far. */
  undo?: UndoAsked;
}

export interface UndoAsked {
  /** Submitted with its run; wanted as long as something of the cancelled run is still being stopped. */
  state: 'submitted' | 'wanted' | 'nothing';
  run: string | null;
  /** False when it was asked for before. */
  isNew: boolean;
  /** Tasks that are undone, in order; those of one list may be undone side by side. */
  stages: string[][];
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
      hint: `"planq cancel ${runId} --undo" takes back what it has completed`,
      facts: { state: before },
    });
  }
  return { runId, before, stillRunning: await finishCancel(store, clock, runId, reply, waitMs) };
}

/**
 * Cancels a run and takes back what has completed of it. Of a run that has ended, only the latter. Asking twice undoes once.
 * @throws PlanqError `run_not_found`; `workspace_in_use` when another run has the workspace of a run that has ended
 */
export async function undoRun(
  { store, config, clock }: { store: Store; config: Config; clock: Clock },
  text: string | undefined,
  waitMs: number,
): Promise<Cancelled> {
  const runId = await findRunId(store, text);
  const reply = await store.record.cancel(runId, true);
  if (reply.undo === 'workspace') throw workspaceTaken(runId, reply.other ?? '');
  const stillRunning = await finishCancel(store, clock, runId, reply, waitMs);
  const undo = await submitUndo(store, config, clock, runId);
  const plan = undo.kind === 'nothing' ? null : await readUndoPlan(store, runId);
  return {
    runId,
    before: (reply.state ?? 'cancelled') as RunState,
    stillRunning,
    undo: {
      ...(await readUndo(store, runId)),
      isNew: reply.undo === 'asked',
      stages: plan === null ? [] : undoStages(plan),
    },
  };
}

/** As the record has it: a worker may have been quicker. */
async function readUndo(store: Store, run: string): Promise<Pick<UndoAsked, 'state' | 'run'>> {
  const meta = (await store.record.readMeta(run)) ?? {};
  return toRunSummary(run, meta).undo ?? { state: 'wanted', run: null };
}

function undoStages(plan: Plan): string[][] {
  const originals = new Map(plan.tasks.map(({ id, undoes }) => [id, undoes?.task ?? id]));
  return stagesOf(plan).map((stage) => stage.map((id) => originals.get(id)!));
}

function workspaceTaken(run: string, holder: string): PlanqError {
  return new PlanqError('workspace_in_use', `cannot undo run ${run}: run ${holder} uses its workspace now`, {
    hint: `wait for run ${holder} to end`,
    facts: { run: holder },
  });
}

/** @returns how many tasks have not stopped within `waitMs` */
async function finishCancel(
  store: Store,
  clock: Clock,
  run: string,
  { queued, grants }: CancelReply,
  waitMs: number,
): Promise<number> {
  await dropJobs(store, run, queued);
  await promoteGrants(store, grants);
  const stillRunning = await waitForStop(store, clock, run, waitMs);
  await mendStatuses(store, clock, run);
  if (stillRunning === 0 && (await livingWorkers(store, clock)).length === 0) await reportInstead(store, run);
  return stillRunning;
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

/**
 * Where no worker lives, the run job and its report would wait for the next one. That one writes it again, with an undo's end
 * in it. Where the project's folder is not on this machine, it alone can.
 */
async function reportInstead(store: Store, run: string): Promise<void> {
  const context = JSON.parse((await store.record.readMeta(run))?.context ?? '{}') as RunContext;
  const isHere = await stat(context.projectDir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  // The cancel is done whatever becomes of the file, and the next worker tries again.
  if (isHere) await writeReport(store, run).catch(() => undefined);
}

/** Where no worker lives, nobody settles the tasks of dead ones when their leases have run out. */
async function sweepInstead(store: Store, clock: Clock): Promise<void> {
  if ((await livingWorkers(store, clock)).length > 0) return;
  const { grants } = await store.record.sweep(OUTBOX_AGE_MS);
  await promoteGrants(store, grants);
}
