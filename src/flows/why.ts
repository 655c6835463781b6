/**
 * Why a task does not run, or what it does: the same facts that `claim` looks at, in the same order, each with what would
 * clear it. Pure; the facts come from the record. A task of which nothing is said here may be claimed.
 */
import { isFinal } from '../plan/states.ts';
import { toIso, toIsoOrNull } from '../runtime/clock.ts';
import { attemptText } from './attempt-text.ts';
import type { TaskRecord } from './run-view.ts';
import type { Reason, TaskFacts } from './why-facts.ts';
import { holdReasons } from './why-holds.ts';
import { explainLimits } from './why-limits.ts';
import { explainNeeds } from './why-needs.ts';
import { explainQueue } from './why-queue.ts';

export interface TaskWhy {
  runId: string;
  task: string;
  state: TaskRecord['s'];
  reasons: Reason[];
  running: RunningFacts | null;
}

export interface RunningFacts {
  worker: string;
  attempt: number;
  attempts: number;
  since: string;
  /** Percent it told last. */
  progress: number | null;
  lastOutput: string | null;
  leaseUntil: string | null;
  pid: number | null;
}

/** A little later counts as now, as it does to `claim`. */
const SOON_MS = 50;

/** As in the claim script. */
const SUSPECT_CRASHES = 2;

/** All that is to say of a task's state, in the order in which `claim` looks. */
export function explainTask(facts: TaskFacts): TaskWhy {
  const { runId, task, record } = facts;
  const running = record.s === 'running' ? toRunning(facts) : null;
  return { runId, task: task.id, state: record.s, reasons: reasonsOf(facts), running };
}

function reasonsOf(facts: TaskFacts): Reason[] {
  const { record, runState } = facts;
  switch (record.s) {
    case 'running':
      return [runningReason(facts)];
    case 'completed':
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return [endedReason(facts)];
    default:
      if (isFinal(runState)) return [runEnded(facts)];
      return record.s === 'pending' || record.s === 'blocked'
        ? [...explainNeeds(facts), ...holdReasons(facts)]
        : waitReasons(facts);
  }
}

/** Of a task that has all it needs. */
function waitReasons(facts: TaskFacts): Reason[] {
  if (facts.record.ap === 1) return [approvalReason(facts), ...holdReasons(facts)];
  return [
    ...backoffReasons(facts),
    ...holdReasons(facts),
    ...aloneReasons(facts),
    ...explainLimits(facts),
    ...explainQueue(facts),
  ];
}

function aloneReasons({ record }: TaskFacts): Reason[] {
  if ((record.c ?? 0) < SUSPECT_CRASHES) return [];
  return [
    {
      code: 'alone',
      message: `${record.c} workers ended while it ran: it starts in a worker that runs nothing else`,
      clear: 'it starts by itself when all other tasks of a worker have ended',
      command: null,
    },
  ];
}

function backoffReasons({ record, now }: TaskFacts): Reason[] {
  if (record.n === undefined || record.n <= now + SOON_MS) return [];
  const failed = record.r === undefined ? '' : `: ${record.r}`;
  return [
    {
      code: 'backoff',
      message: `attempt ${record.a ?? 1} failed${failed}; the next one is due at ${toIso(record.n)}`,
      clear: 'it starts by itself then',
      command: null,
    },
  ];
}

function approvalReason({ runId, task, record }: TaskFacts): Reason {
  return {
    code: 'approval',
    message: `it waits for approval${record.n === undefined ? '' : ` since ${toIso(record.n)}`}`,
    clear: 'approve or reject it',
    command: `planq approve ${runId} ${task.id}`,
  };
}

function runEnded({ runId, runState }: TaskFacts): Reason {
  const how = runState === 'cancelled' ? 'was cancelled' : `has ${runState}`;
  return { code: 'run-ended', message: `run ${runId} ${how}`, clear: 'nothing of it starts any more', command: null };
}

function runningReason({ record, leaseUntil, now, task }: TaskFacts): Reason {
  const isLost = leaseUntil === null || leaseUntil <= now;
  const since = toIsoOrNull(record.st) ?? 'now';
  return {
    code: 'running',
    message: isLost
      ? `worker ${record.w} had it since ${since}, and is gone`
      : `it runs on worker ${record.w} since ${since}, attempt ${attemptText(record.a ?? 1, task.attempts, record.z ?? 0)}`,
    clear: isLost ? 'another worker takes it over' : 'it ends by itself',
    command: null,
  };
}

function endedReason({ runId, record, task, runState }: TaskFacts): Reason {
  const why = record.r === undefined ? '' : `: ${record.r}`;
  const at = record.f === undefined ? '' : ` at ${toIso(record.f)}`;
  const attempts = (record.a ?? 0) > 1 ? ` after ${record.a} attempts` : '';
  const isFailed = record.s === 'failed' && runState !== 'cancelled';
  const word = record.s === 'skipped' || record.s === 'cancelled' ? `was ${record.s}` : `has ${record.s}`;
  return {
    code: 'ended',
    message: `it ${word}${at}${attempts}${why}`,
    clear: isFailed
      ? `run it again, or go on without it with "planq skip ${runId} ${task.id}"`
      : 'nothing; it has ended',
    command: isFailed ? `planq retry ${runId} ${task.id}` : null,
  };
}

function toRunning({ record, task, leaseUntil, lastOutput }: TaskFacts): RunningFacts {
  return {
    worker: record.w ?? '',
    attempt: record.a ?? 1,
    attempts: task.attempts,
    since: toIsoOrNull(record.st) ?? '',
    progress: record.p ?? null,
    lastOutput,
    leaseUntil: toIsoOrNull(leaseUntil),
    pid: record.pid ?? null,
  };
}
