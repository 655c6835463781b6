/**
 * Everything that planq tells anybody is one of these. Events are appended to one Redis stream by the scripts, with the
 * transition itself; the CLI, the board, files and log lines are readers of that stream.
 */
import type { TaskState } from '../plan/states.ts';

export interface EventBase {
  /** Stream id; a reader's cursor. */
  id: string;
  /** Epoch ms. */
  at: number;
  run: string;
}

export interface RunEvent extends EventBase {
  type:
    | 'run-submitted'
    | 'run-started'
    | 'run-blocked'
    | 'run-resumed'
    | 'run-completed'
    | 'run-failed'
    | 'run-cancelled';
  name?: string;
  reason?: string;
}

export interface TaskEvent extends EventBase {
  type:
    | 'task-ready'
    | 'task-parked'
    | 'task-started'
    | 'task-progress'
    | 'task-warning'
    | 'task-completed'
    | 'task-retrying'
    | 'task-snoozed'
    | 'task-failed'
    | 'task-blocked'
    | 'task-skipped'
    | 'task-cancelled'
    | 'task-superseded'
    | 'task-rescued';
  task: string;
  state?: TaskState;
  attempt?: number;
  reason?: string;
  exitCode?: number;
  /** Milliseconds of the attempt. */
  durationMs?: number;
  /** Milliseconds until the next attempt. */
  delayMs?: number;
  /** 0 to 100. */
  percent?: number;
  message?: string;
  worker?: string;
  /** How many dependents were blocked by this failure. */
  blocked?: number;
  blockedBy?: string[];
}

export type Event = RunEvent | TaskEvent;
export type EventType = Event['type'];
