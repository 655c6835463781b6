/**
 * Resumes a blocked run where it stopped. The record decides what runs again; then its jobs get moving.
 */
import type { RunView } from '../flows/run-view.ts';
import { revive } from '../producer/revive.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { removeStatus, taskPaths } from '../producer/workspace.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { findTaskIndex, showRun } from './find-run.ts';

/** A worker that has just settled a failure needs a moment to end the job. */
const REVIVE_WAIT_MS = 3000;

export interface Retried {
  runId: string;
  /** Ids of the failed tasks that run again. */
  retried: string[];
}

/**
 * @param task only this failed task; without it all of them
 * @throws PlanqError `run_not_found`, `task_not_found`; `wrong_state` when nothing of it can be retried;
 *   `workspace_in_use` when another run has taken the workspace since
 */
export async function retryRun(store: Store, clock: Clock, text: string | undefined, task?: string): Promise<Retried> {
  const view = await showRun(store, text);
  const runId = view.run.id;
  const index = task === undefined ? null : findTaskIndex(view, task);
  const reply = await store.record.retry(runId, index);
  switch (reply.status) {
    case 'retried':
      await revive(store, clock, runId, reply.outbox, REVIVE_WAIT_MS);
      await removeStaleStatuses(store, view);
      return { runId, retried: reply.retried.map((at) => view.tasks[at]!.id) };
    case 'cancelled':
      throw new PlanqError('wrong_state', `cannot retry run ${runId}: it was cancelled`, {
        hint: 'start it anew with "planq run <plan>"',
      });
    case 'workspace':
      throw new PlanqError(
        'workspace_in_use',
        `cannot retry run ${runId}: run ${reply.holder} uses its workspace now`,
        {
          hint: `wait for run ${reply.holder} to end`,
        },
      );
    case 'gone':
      throw new PlanqError('run_not_found', `cannot find run "${runId}"`);
    case 'nothing': {
      const what =
        task === undefined
          ? `run ${runId}: none of its tasks has failed`
          : `task "${task}" of run ${runId}: it has not failed`;
      const state = index === null ? view.run.state : view.tasks[index]!.state;
      throw new PlanqError('wrong_state', `cannot retry ${what} (it is ${state})`, {
        hint: `see "planq status ${runId}"`,
        facts: { state },
      });
    }
  }
}

/** The files of tasks that are no longer blocked would go on saying so until those start. */
async function removeStaleStatuses(store: Store, before: RunView): Promise<void> {
  const [meta, after] = await Promise.all([store.record.readMeta(before.run.id), showRun(store, before.run.id)]);
  const context = JSON.parse(meta?.context ?? '{}') as RunContext;
  for (const [index, task] of before.tasks.entries()) {
    if (task.state !== 'blocked' || after.tasks[index]?.state === 'blocked') continue;
    await removeStatus(taskPaths(context.projectDir, context.workspace, task.id));
  }
}
