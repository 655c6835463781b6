/**
 * Turns an attempt's outcome into the record's truth and into BullMQ's way of ending a job. The one place that knows
 * BullMQ's errors.
 *
 *   completed, skipped, cancelled, tolerated failure → the job completes
 *   failed                                            → UnrecoverableError; the job fails, its parents keep waiting
 *   another attempt                                   → moved to delayed; DelayedError
 *   handed back (shutdown)                            → moved to wait; WaitingError
 */
import type { Outcome } from '../agents/agent.ts';
import { DelayedError, type Job, UnrecoverableError, WaitingError } from '../redis/queues.ts';
import type { SettleInput } from '../redis/record.ts';
import type { SettleReply } from '../redis/replies.ts';
import { bounded } from '../runtime/errors.ts';
import type { Attempt } from './attempt-state.ts';
import { backoffMs } from './backoff.ts';
import type { WorkerContext } from './context.ts';

const REASON_LIMIT = 1000;
const NAME_LIMIT = 300;
const VALUES_LIMIT_BYTES = 64 * 1024;

/** How long a server that refuses to write (full memory, full disk) is asked again before the outcome is given up. */
const SETTLE_PATIENCE_MS = 10 * 60_000;
const SETTLE_RETRY_MS = 1000;

/**
 * Writes the outcome to the record; idempotent under the attempt's token. While Redis refuses, the outcome is kept here and
 * offered again: work that is done must not be done twice because a disk was full for a minute.
 * @throws the last refusal, when it went on for too long or this worker is to end
 */
export async function settleRecord(worker: WorkerContext, attempt: Attempt, outcome: Outcome): Promise<SettleReply> {
  const input = toSettleInput(worker, attempt, outcome);
  const deadline = worker.clock.monotonic() + SETTLE_PATIENCE_MS;
  for (;;) {
    try {
      return await worker.store.record.settle(input);
    } catch (error) {
      if (worker.isQuiet() || worker.clock.monotonic() > deadline) throw error;
      worker.complain(error);
      await worker.clock.sleep(SETTLE_RETRY_MS);
    }
  }
}

/** What the settle script is told. */
export function toSettleInput(worker: WorkerContext, attempt: Attempt, given: Outcome): SettleInput {
  const outcome = limitValues(given);
  const { run, index, token } = attempt.held;
  const base = { run, index, token, kind: outcome.kind, parentId: attempt.parentId, hint: attempt.hint };
  switch (outcome.kind) {
    case 'completed': {
      const values = outcome.values ?? {};
      const text = Object.keys(values).length === 0 ? '' : JSON.stringify(values);
      return { ...base, exitCode: outcome.exitCode ?? 0, verified: true, values: text };
    }
    case 'retryable':
      return {
        ...base,
        reason: bounded(outcome.reason, REASON_LIMIT),
        delayMs: backoffMs(attempt.used + 1, worker.config.times.backoffMs, worker.random),
        ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
      };
    case 'failed':
      return {
        ...base,
        reason: bounded(outcome.reason, REASON_LIMIT),
        ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
      };
    case 'snoozed':
      return { ...base, reason: bounded(outcome.reason, REASON_LIMIT), delayMs: outcome.delayMs };
    case 'cancelled':
      return { ...base, reason: bounded(outcome.reason, REASON_LIMIT) };
  }
}

/** A result is small; large things belong into output files. */
function limitValues(outcome: Outcome): Outcome {
  if (outcome.kind !== 'completed' || outcome.values === undefined) return outcome;
  const size = Buffer.byteLength(JSON.stringify(outcome.values));
  if (size <= VALUES_LIMIT_BYTES) return outcome;
  return {
    kind: 'failed',
    reason: `The task's values are ${size} bytes, more than the limit of ${VALUES_LIMIT_BYTES}; write them to an output file`,
  };
}

/** Ends or moves the job as the task's state says. Returns the job's return value, or throws what BullMQ wants. */
export async function endJob(
  worker: WorkerContext,
  job: Job,
  token: string,
  task: { state: string; delayMs: number; reason: string },
): Promise<unknown> {
  switch (task.state) {
    case 'ready':
      if (task.delayMs > 0) return snoozeJob(worker, job, token, task.delayMs);
      await job.moveToWait(token);
      throw new WaitingError();
    case 'running':
    case 'parked':
      // Somebody else's business by now: BullMQ gave this job to a worker that holds the task, or will.
      return snoozeJob(worker, job, token, worker.config.times.lockMs);
    case 'failed':
    case 'blocked':
      throw new UnrecoverableError(bounded(task.reason, REASON_LIMIT));
    default:
      return { state: task.state };
  }
}

/**
 * A job that planq did not make, or that somebody changed: it fails with the reason and is told of, once a minute for each
 * reason. Nothing is run.
 * @throws what BullMQ wants for it
 */
export function refuseJob(worker: Pick<WorkerContext, 'tell'>, job: Job, reason: string): never {
  worker.tell(`refused a job: ${reason}`, { queue: job.queueName, job: bounded(String(job.id), NAME_LIMIT) });
  throw new UnrecoverableError(reason);
}

/** Puts the job aside for `ms` without using an attempt. Always throws what BullMQ wants for it. */
export async function snoozeJob(worker: WorkerContext, job: Job, token: string, ms: number): Promise<never> {
  await job.moveToDelayed(worker.clock.now() + Math.max(1, ms), token);
  throw new DelayedError();
}
