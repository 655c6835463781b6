/**
 * Resumes a blocked run where it stopped. The record decides what runs again; here its jobs get moving: a job that BullMQ
 * holds as failed is retried, so that the tree it belongs to goes on; one that is gone or ended otherwise is added anew.
 */
import { taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { enqueueAgain } from '../producer/enqueue.ts';
import type { Store } from '../producer/store.ts';
import { masterQueue } from '../redis/keys.ts';
import type { OutboxEntry } from '../redis/record.ts';
import { PlanqError } from '../runtime/errors.ts';
import { findTaskIndex, showRun } from './find-run.ts';

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
export async function retryRun(store: Store, text: string | undefined, task?: string): Promise<Retried> {
  const view = await showRun(store, text);
  const runId = view.run.id;
  const index = task === undefined ? null : findTaskIndex(view, task);
  const reply = await store.record.retry(runId, index);
  switch (reply.status) {
    case 'retried':
      await revive(store, runId, reply.outbox);
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

async function revive(store: Store, run: string, outbox: readonly OutboxEntry[]): Promise<void> {
  for (const entry of outbox) {
    const node = parseNode(entry.node);
    const job = await store.queues.queue(masterQueue(node.m)).getJob(taskJobId(run, node.id));
    const state = await job?.getState();
    if (job !== undefined && state === 'failed') await job.retry('failed', { resetAttemptsMade: true });
    // A tolerated failure completed its job; a completed job would swallow the new one.
    else if (job !== undefined && state === 'completed') await job.remove();
  }
  await enqueueAgain(store, run, outbox);
}
