/**
 * The files that tell of outcomes in the task protocol's format. They are renderings of the record, written after the
 * fact.
 */
import type { Outcome } from '../agents/agent.ts';
import { parseDefinition } from '../flows/definition.ts';
import { removeStatus, type StatusFile, taskPaths, toStatusTime, writeStatus } from '../producer/workspace.ts';
import type { SettleReply } from '../redis/replies.ts';
import type { Attempt } from './attempt-state.ts';
import type { WorkerContext } from './context.ts';

/** Writes the status of the task that settled, and of those that its failure blocked. */
export async function writeOutcomeFiles(
  worker: WorkerContext,
  attempt: Attempt,
  outcome: Outcome,
  reply: SettleReply,
): Promise<void> {
  try {
    if (reply.state === 'completed' || reply.state === 'failed' || reply.state === 'cancelled') {
      await writeStatus(attempt.paths, settledStatus(attempt, outcome, reply.state, worker.clock.now()));
    }
    // Handed back: nothing of it runs now.
    if (reply.state === 'ready' && outcome.kind === 'snoozed') await removeStatus(attempt.paths);
    if (reply.blocked.length > 0) await writeBlocked(worker, attempt, reply.blocked);
  } catch (error) {
    // The record has the truth; a full disk must not take a settled task back.
    worker.warn('cannot write status files', { error: String(error), run: attempt.held.run, task: attempt.task.id });
  }
}

function settledStatus(attempt: Attempt, outcome: Outcome, state: string, now: number): StatusFile {
  const exitCode = 'exitCode' in outcome ? outcome.exitCode : undefined;
  return {
    task_id: attempt.task.id,
    status: state === 'completed' ? 'completed' : 'failed',
    started_at: toStatusTime(attempt.startedAt),
    completed_at: toStatusTime(now),
    agent_id: `agent-${attempt.held.token.slice(0, 8)}`,
    outputs_validated: state === 'completed',
    duration_seconds: Math.round((now - attempt.startedAt) / 1000),
    ...(exitCode === undefined ? (state === 'completed' ? { exit_code: 0 } : {}) : { exit_code: exitCode }),
    ...('reason' in outcome ? { error: protocolError(outcome.reason) } : {}),
  };
}

/** The protocol says just "Missing outputs"; the paths are in the log and in the record. */
function protocolError(reason: string): string {
  return reason.startsWith('Missing outputs') ? 'Missing outputs' : reason;
}

async function writeBlocked(worker: WorkerContext, attempt: Attempt, blocked: readonly number[]): Promise<void> {
  const { record } = worker.store;
  const [defs, states] = await Promise.all([
    record.readDefs(attempt.held.run, blocked),
    record.readFields(attempt.held.run, 'tasks', blocked),
  ]);
  for (const [at, def] of defs.entries()) {
    if (def === null) continue;
    const task = parseDefinition(def);
    const roots = (JSON.parse(states[at] ?? '{}') as { b?: number[] }).b ?? [];
    const ids = (await record.readDefs(attempt.held.run, roots)).flatMap((text) =>
      text === null ? [] : [parseDefinition(text).id],
    );
    const paths = taskPaths(attempt.context.projectDir, attempt.context.workspace, task.id);
    await writeStatus(paths, {
      task_id: task.id,
      status: 'blocked',
      blocked_by: ids[0] ?? attempt.task.id,
      blocked_by_all: ids,
    });
  }
}
