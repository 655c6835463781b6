/**
 * What must be known to say why a task does not run, and the form of the answer.
 */
import type { RunState, TaskState } from '../plan/states.ts';
import type { TaskRecord } from './run-view.ts';

export interface Reason {
  code: ReasonCode;
  /** One sentence. */
  message: string;
  /** What would clear it, or what happens next. */
  clear: string;
  /** The command that clears it, where there is one. */
  command: string | null;
}

export type ReasonCode =
  | 'run-ended'
  | 'running'
  | 'ended'
  | 'need'
  | 'gate'
  | 'failed'
  | 'approval'
  | 'backoff'
  | 'paused'
  | 'alone'
  | 'limit'
  | 'line'
  | 'no-worker'
  | 'workers-busy'
  | 'master-limit'
  | 'queue-paused'
  | 'no-job'
  | 'waiting'
  | 'damaged';

/** A pause that concerns the task: everything, its master or its run. */
export interface HoldFact {
  /** `all`, `master:<name>` or `run:<id>`. */
  name: string;
  by: string;
  /** Epoch ms. */
  at: number;
  comment: string;
}

export interface TaskFacts {
  runId: string;
  /** Epoch ms, by the server's clock. */
  now: number;
  runState: RunState;
  task: { id: string; master: string; attempts: number };
  record: TaskRecord;
  /** Epoch ms at which its lease ends; null without one. */
  leaseUntil: number | null;
  needs: readonly NeedFact[];
  /** Because of what it is blocked. */
  roots: readonly FailedRoot[];
  holds: readonly HoldFact[];
  limits: readonly LimitFact[];
  queue: QueueFact;
  lastOutput: string | null;
}

export interface NeedFact {
  /** Task id, or `gate:<n>`. */
  id: string;
  isGate: boolean;
  state: TaskState;
  /** Of a gate: it waits for a person. */
  wantsApproval: boolean;
  /** Of a gate: what must have ended before it opens, and has not. */
  missing: readonly { id: string; state: TaskState }[];
}

/** Something that failed, because of which others are blocked. */
export interface FailedRoot {
  id: string;
  isGate: boolean;
  reason: string | null;
}

export interface LimitFact {
  /** As people know it: `agents`, a resource, `phase analysis of this run`. */
  name: string;
  amount: number;
  used: number;
  /** Null = not limited. */
  capacity: number | null;
  /** Tasks that wait for it with a better place, or the same. */
  ahead: number;
  /** Whether the first of them comes before this task. */
  isBehind: boolean;
  /** `<run> <task>`, a few. */
  holders: readonly string[];
}

export interface QueueFact {
  /** BullMQ's state of its job; `unknown` when there is none. */
  jobState: string;
  /** Jobs before it in its queue; null when it stands in none. */
  ahead: number | null;
  /** Workers that serve its master, and those of them that have a place free. */
  workers: number;
  free: number;
  /** Most jobs of the master at once; null = no limit. */
  cap: number | null;
  active: number;
  isPaused: boolean;
}
