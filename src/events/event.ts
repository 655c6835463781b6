/**
 * Everything that planq tells anybody is one of these. Events are appended to one Redis stream by the scripts, with the
 * transition itself; the CLI, the board, files and log lines are readers of that stream.
 */

export interface EventBase {
  /** Stream id; a reader's cursor. */
  id: string;
  /** Epoch ms, by the Redis server's clock. */
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
    | 'run-cancelling'
    | 'run-cancelled'
    | 'run-failed'
    | 'run-paused'
    | 'run-unpaused'
    | 'undo-wanted'
    | 'undo-submitted'
    | 'undo-nothing'
    | 'notify-failed';
  name?: string;
  /** Of a blocked run: failure or approval. Of a notification: why it was given up. */
  reason?: string;
  /** The run that takes back what this one has done. */
  undoRun?: string;
  /** What was to be told: blocked, completed, … */
  notify?: string;
  /** The receiver that could not be told. */
  to?: string;
}

/** Ended runs that a worker has removed by the keep rules; of no run. */
export interface PrunedEvent extends EventBase {
  type: 'runs-pruned';
  count: number;
  worker: string;
}

/** Several tasks moved together: a stage opened, a failure blocked what waits for it, a run was cancelled. */
export interface TasksEvent extends EventBase {
  type:
    | 'tasks-ready'
    | 'tasks-blocked'
    | 'tasks-skipped'
    | 'tasks-cancelled'
    | 'approval-wanted'
    | 'approved'
    | 'rejected';
  /** Indexes into the plan. */
  tasks: number[];
  /** Index of the failed task that blocked them. */
  by?: number;
}

export interface TaskEvent extends EventBase {
  type:
    | 'task-parked'
    | 'task-started'
    | 'task-progress'
    | 'task-warning'
    | 'task-completed'
    | 'task-retrying'
    | 'task-snoozed'
    | 'task-failed'
    | 'task-cancelled'
    | 'task-superseded'
    | 'task-rescued';
  /** Index into the plan. */
  task: number;
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
  /** How many tasks this failure blocked. */
  blocked?: number;
  /** How often a worker ended while it had this task. */
  crashes?: number;
}

/** What a sweep can find wrong and put right. Explained in docs/internals.md. */
export type RepairKind = 'job' | 'lease' | 'parent' | 'tree' | 'report' | 'gate' | 'limit' | 'count' | 'orphan';

/** A sweep has repaired something. */
export interface RepairedEvent extends EventBase {
  type: 'repaired';
  what: RepairKind;
  /** Index into the plan of the task or gate, where it is about one. */
  index?: number;
  /** What is right: what is in use of a limit, how many tasks are in a state. */
  count?: number;
  was?: number;
  /** The limit, the state that was counted, or the job. */
  name?: string;
}

/** Jobs wait for a master that no living worker serves; of no run. Told once until that changes. */
export interface NoWorkerEvent extends EventBase {
  type: 'no-worker';
  master: string;
  /** How many wait. */
  count: number;
}

export type Event = NoWorkerEvent | PrunedEvent | RepairedEvent | RunEvent | TasksEvent | TaskEvent;
export type EventType = Event['type'];
