/**
 * Resumes a run where it stopped, or from a task that may have completed. The record decides what runs again; then its jobs
 * get moving.
 */
import type { RunView } from '../flows/run-view.ts';
import { reopenRunJob, revive } from '../producer/revive.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { removeStatus, taskPaths } from '../producer/workspace.ts';
import type { RetryReply } from '../redis/replies.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { forgetJobs } from './drop-jobs.ts';
import { findTaskIndex, showRun } from './find-run.ts';

/** A worker that has just settled a task needs a moment to end the job. */
const REVIVE_WAIT_MS = 3000;

export interface Retried {
  runId: string;
  /** Ids of the tasks that run again: the failed ones, or the one named with `from` and all that need it. */
  retried: string[];
}

/** What to run again; without both, every failed task. */
export interface RetryTarget {
  /** Only this failed task. */
  task?: string;
  /** This task and all that need it, also what has completed. */
  from?: string;
}

/**
 * @throws PlanqError `run_not_found`, `task_not_found`; `wrong_state` when nothing of it can be retried, or what would run
 *   again is running; `workspace_in_use` when another run has taken the workspace since
 */
export async function retryRun(
  store: Store,
  clock: Clock,
  text: string | undefined,
  { task, from }: RetryTarget = {},
): Promise<Retried> {
  const view = await showRun(store, text);
  const runId = view.run.id;
  const named = from ?? task;
  const index = named === undefined ? null : findTaskIndex(view, named);
  const reply = await store.record.retry(runId, index, from !== undefined);
  if (reply.status !== 'retried') throw refusal(view, reply, index, from !== undefined);
  await reopenRunJob(store, clock, runId);
  await forgetJobs(store, clock, runId, reply.reset, REVIVE_WAIT_MS);
  await revive(store, clock, runId, reply.outbox, REVIVE_WAIT_MS);
  await removeStaleStatuses(store, view, new Set(reply.reset));
  const again = from === undefined ? reply.tasks : reply.reset;
  return { runId, retried: again.map((at) => view.tasks[at]!.id) };
}

function refusal({ run, tasks }: RunView, reply: RetryReply, index: number | null, isFrom: boolean): PlanqError {
  const id = index === null ? '' : tasks[index]!.id;
  switch (reply.status) {
    case 'cancelled':
      return new PlanqError('wrong_state', `cannot retry run ${run.id}: it was cancelled`, {
        hint: 'start it anew with "planq run <plan>"',
      });
    case 'undone':
      return new PlanqError('wrong_state', `cannot retry run ${run.id}: its undo was asked for`, {
        hint: 'start it anew with "planq run <plan>"',
      });
    case 'workspace':
      return new PlanqError(
        'workspace_in_use',
        `cannot retry run ${run.id}: run ${reply.holder} uses its workspace now`,
        { hint: `wait for run ${reply.holder} to end` },
      );
    case 'running': {
      const running = reply.tasks.map((at) => tasks[at]!.id);
      return new PlanqError(
        'wrong_state',
        `cannot retry run ${run.id} from "${id}": ${running.join(', ')} is running`,
        {
          hint: 'wait until it has ended, or cancel the run',
          facts: { running },
        },
      );
    }
    case 'gone':
      return new PlanqError('run_not_found', `cannot find run "${run.id}"`);
    default: {
      const state = index === null ? run.state : tasks[index]!.state;
      const lacks = isFrom ? 'it has not ended' : 'it has not failed';
      const what =
        index === null ? `run ${run.id}: none of its tasks has failed` : `task "${id}" of run ${run.id}: ${lacks}`;
      return new PlanqError('wrong_state', `cannot retry ${what} (it is ${state})`, {
        hint: `see "planq why ${run.id}${index === null ? '' : ` ${id}`}"`,
        facts: { state },
      });
    }
  }
}

/** The files of tasks that are no longer blocked, or run again, would go on saying so until those start. */
async function removeStaleStatuses(store: Store, before: RunView, reset: ReadonlySet<number>): Promise<void> {
  const [meta, after] = await Promise.all([store.record.readMeta(before.run.id), showRun(store, before.run.id)]);
  const context = JSON.parse(meta?.context ?? '{}') as RunContext;
  for (const [index, task] of before.tasks.entries()) {
    const isFreed = task.state === 'blocked' && after.tasks[index]?.state !== 'blocked';
    const isReset = reset.has(index) && after.tasks[index]?.startedAt === null;
    if (isFreed || isReset) await removeStatus(taskPaths(context.projectDir, context.workspace, task.id));
  }
}
