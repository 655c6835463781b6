/**
 * How an attempt's end is called: the table from what happened to the {@link Outcome}. The reasons are what people read in
 * reports and status files.
 */
import { constants } from 'node:os';
import { formatDuration } from '../runtime/duration.ts';
import { unreachable } from '../runtime/result.ts';
import type { Outcome, StopReason } from './agent.ts';
import type { Exit, SpawnFailure } from './spawn.ts';
import type { Verdict } from './watch.ts';

/** The system lacked something for the moment: another attempt, or another machine, may have it. */
const PASSING_FAILURES = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'EIO', 'EBUSY']);

/**
 * The outcome of an attempt that did not end well.
 * @param zombieMs how long it may show no progress, for the reason
 */
export function toEndedOutcome(verdict: Verdict, zombieMs: number): Outcome {
  switch (verdict.kind) {
    case 'exited':
      return toExitOutcome(verdict.exit);
    case 'timeout':
      return { kind: 'retryable', reason: 'Timeout' };
    case 'zombie':
      return { kind: 'retryable', reason: `No progress for ${inMinutes(zombieMs)}` };
    case 'over':
      return { kind: 'retryable', reason: verdict.reason };
    case 'stopped':
      return toStoppedOutcome(verdict.reason);
    default:
      return unreachable(verdict);
  }
}

/** What a stop from outside means for the attempt; also for agents without a process. */
export function toStoppedOutcome(reason: StopReason): Outcome {
  switch (reason) {
    case 'cancel':
      return { kind: 'cancelled', reason: 'cancelled' };
    case 'shutdown':
      return { kind: 'snoozed', reason: 'worker is stopping', delayMs: 0 };
    case 'lost':
      return { kind: 'snoozed', reason: 'lease lost', delayMs: 0 };
    default:
      return unreachable(reason);
  }
}

/** A process that could not be started: final, unless the system lacked something for the moment. */
export function toFailedStart(failure: SpawnFailure): Outcome {
  return { kind: PASSING_FAILURES.has(failure.code) ? 'retryable' : 'failed', reason: failure.message };
}

function toExitOutcome({ code, signal }: Exit): Outcome {
  if (signal === null) return { kind: 'retryable', reason: `Exit code ${code}`, exitCode: code ?? 1 };
  return { kind: 'retryable', reason: `Killed by ${signal}`, exitCode: 128 + constants.signals[signal] };
}

function inMinutes(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : formatDuration(ms);
}
