/**
 * What a follower knows of a run: the record as it was read last, moved on by events. Applying an event twice, or one
 * that the record knew already, does no harm; what events do not tell is read again.
 */
import type { Event, TaskEvent, TasksEvent } from '../../events/event.ts';
import type { Counts, RunSummary, RunView, TaskView } from '../../flows/run-view.ts';
import { TASK_STATES, type TaskState } from '../../plan/states.ts';
import { toIso } from '../../runtime/clock.ts';

export interface LiveTask extends TaskView {
  /** 0 to 100, as the agent told last; null when it did not. */
  percent: number | null;
  message: string | null;
}

/** As the scripts say it of a task that waits for a person. */
const APPROVAL_REASON = 'waiting for approval';

/** Events of a run that say all there is to know. */
const TOLD: ReadonlySet<Event['type']> = new Set(['run-submitted', 'run-started', 'notify-failed', 'no-worker']);

/** Whether only the record says what is so after this event. */
function isUntold(event: Event): boolean {
  if ('task' in event) return false;
  if ('tasks' in event) return !event.type.startsWith('tasks-');
  return !TOLD.has(event.type);
}

export class RunModel {
  run: RunSummary;
  tasks: LiveTask[];

  /** Tasks and gates that wait for approval, as far as the record or an event has told. */
  readonly wanted = new Set<string>();

  /**
   * @param gates the names of the run's gates by their indexes
   * @param wanted names of gates that wait for approval already
   */
  constructor(
    view: RunView,
    private readonly gates: ReadonlyMap<number, string> = new Map(),
    wanted: readonly string[] = [],
  ) {
    for (const gate of wanted) this.wanted.add(gate);
    this.run = view.run;
    this.tasks = view.tasks.map((task) => ({ ...task, percent: null, message: null }));
    this.#noteWanted();
  }

  /** Takes the record's word for everything; keeps what a task that still runs has told of itself. */
  reset(view: RunView): void {
    const before = this.tasks;
    this.run = view.run;
    this.tasks = view.tasks.map((task, index) => {
      const told = before[index];
      const isSame = task.state === 'running' && told?.state === 'running' && told.attempt === task.attempt;
      return { ...task, percent: isSame ? told.percent : null, message: isSame ? told.message : null };
    });
    this.#noteWanted();
  }

  /** Moves on by one event. @returns whether the record must be read to know what is so */
  apply(event: Event): boolean {
    if ('tasks' in event) this.#applyTasks(event);
    else if ('task' in event) this.#applyTask(event);
    else if (event.type === 'run-started') this.run = { ...this.run, startedAt: toIso(event.at) };
    this.run = { ...this.run, counts: this.#count() };
    return isUntold(event);
  }

  /** A task's or gate's id by its index; the index itself when it is none of this run. */
  idOf(index: number): string {
    return this.tasks[index]?.id ?? this.gates.get(index) ?? String(index);
  }

  /** A view says it of tasks; of gates the beginning does, and then events. */
  #noteWanted(): void {
    for (const { id, state, reason } of this.tasks) {
      if (state === 'parked' && reason === APPROVAL_REASON) this.wanted.add(id);
      else this.wanted.delete(id);
    }
  }

  view(): RunView {
    return { run: this.run, tasks: this.tasks };
  }

  #applyTasks(event: TasksEvent): void {
    if (!event.type.startsWith('tasks-')) {
      this.#applyApproval(event);
      return;
    }
    const state = event.type.slice('tasks-'.length) as TaskState;
    for (const index of event.tasks) {
      const task = this.tasks[index];
      if (task === undefined) continue;
      task.state = state;
      if (state === 'blocked' && event.by !== undefined) task.blockedBy = [this.idOf(event.by)];
      if (state === 'skipped' || state === 'cancelled') task.finishedAt = toIso(event.at);
    }
  }

  #applyApproval({ type, tasks }: TasksEvent): void {
    for (const index of tasks) {
      if (type !== 'approval-wanted') this.wanted.delete(this.idOf(index));
      else this.wanted.add(this.idOf(index));
      const task = this.tasks[index];
      if (task !== undefined && type === 'approval-wanted')
        Object.assign(task, { state: 'parked', reason: APPROVAL_REASON });
    }
  }

  #applyTask(event: TaskEvent): void {
    const task = this.tasks[event.task];
    if (task === undefined) return;
    if (event.attempt !== undefined) task.attempt = event.attempt;
    switch (event.type) {
      case 'task-started':
        Object.assign(task, { state: 'running', startedAt: toIso(event.at), finishedAt: null, durationMs: null });
        Object.assign(task, { reason: null, exitCode: null, percent: null, message: null });
        return;
      case 'task-progress':
        task.percent = event.percent ?? task.percent;
        task.message = event.message ?? task.message;
        return;
      case 'task-warning':
        task.message = event.message ?? task.message;
        return;
      case 'task-superseded':
        return;
      default:
        this.#rest(task, event);
    }
  }

  /** The attempt is over, or did not begin. */
  #rest(task: LiveTask, event: TaskEvent): void {
    task.state = STATE_AFTER[event.type] ?? task.state;
    task.percent = null;
    task.message = null;
    task.reason = event.reason ?? (event.type === 'task-completed' ? null : task.reason);
    task.exitCode = event.exitCode ?? task.exitCode;
    if (event.durationMs === undefined) return;
    task.durationMs = event.durationMs;
    task.finishedAt = toIso(event.at);
  }

  #count(): Counts {
    const counts = { total: this.tasks.length } as Counts;
    for (const state of TASK_STATES) counts[state] = 0;
    for (const { state } of this.tasks) counts[state]++;
    return counts;
  }
}

const STATE_AFTER: Readonly<Partial<Record<Event['type'], TaskState>>> = {
  'task-parked': 'parked',
  'task-completed': 'completed',
  'task-retrying': 'ready',
  'task-snoozed': 'ready',
  'task-rescued': 'ready',
  'task-failed': 'failed',
  'task-cancelled': 'cancelled',
};
