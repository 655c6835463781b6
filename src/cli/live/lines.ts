/**
 * Events as lines, for logs and pipes: what started, what ended and how. Progress is left to the live tree.
 */
import type { Event, NoWorkerEvent, RepairedEvent, TaskEvent } from '../../events/event.ts';
import { isSettled } from '../../plan/states.ts';
import { formatDuration } from '../../runtime/duration.ts';
import { clean, count } from '../terminal/text.ts';
import type { RunModel } from './model.ts';

const NAMED_AT_MOST = 5;

/** What befell several tasks at once; that they are ready is told when they start. */
const TASKS_WORDS: Readonly<Record<string, string>> = {
  'tasks-blocked': 'Blocked',
  'tasks-skipped': 'Skipped',
  'tasks-cancelled': 'Cancelled',
  'approval-wanted': 'Waiting for approval',
  approved: 'Approved',
  rejected: 'Rejected',
};

/** The line of an event, or null for one that says nothing to a reader of lines. */
export function toEventLine(event: Event, model: RunModel): string | null {
  if ('tasks' in event) {
    const words = TASKS_WORDS[event.type];
    const by = event.by === undefined ? '' : ` (by ${model.idOf(event.by)})`;
    if (words === undefined) return null;
    const ids = event.tasks.map((index) => model.idOf(index));
    return event.type === 'approval-wanted' ? approvalLine(ids, model.run.id) : `${words}: ${nameSome(ids)}${by}`;
  }
  if ('task' in event) return taskLine(event, model.idOf(event.task));
  if (event.type === 'no-worker') return noWorkerLine(event, model);
  if (event.type === 'repaired') return repairedLine(event, model);
  if (event.type === 'run-blocked' && event.reason === 'approval')
    return 'Nothing more can run until a person approves.';
  if (event.type === 'run-paused') return `The run is paused. → planq resume ${model.run.id}`;
  if (event.type === 'undo-submitted') return `Run ${event.undoRun} undoes it. → planq watch ${event.undoRun}`;
  if (event.type === 'notify-failed')
    return `Could not notify ${clean(event.to ?? '')} (${event.notify ?? ''}): ${clean(event.reason ?? '')}`;
  return RUN_LINES[event.type] ?? null;
}

/** What waits for a person, and the command for the first of it. */
export function approvalLine(ids: readonly string[], run: string): string {
  return `Waiting for approval: ${nameSome(ids)} → planq approve ${run} ${ids[0]}`;
}

const RUN_LINES: Readonly<Record<string, string>> = {
  'run-completed': 'All tasks complete!',
  'run-blocked': 'Nothing more can run: the run is blocked.',
  'run-resumed': 'The run goes on.',
  'run-cancelling': 'Cancelling the run.',
  'run-cancelled': 'The run is cancelled.',
  'run-failed': 'The run has failed.',
  'undo-wanted': 'What has completed will be undone.',
  'undo-nothing': 'There is nothing to undo.',
  'run-unpaused': 'The run is not paused any more.',
};

/** Only where the run has something to do for that master. */
function noWorkerLine({ master }: NoWorkerEvent, model: RunModel): string | null {
  const isConcerned = model.tasks.some((task) => task.master === master && !isSettled(task.state));
  return isConcerned ? `No worker serves master ${clean(master)}. → planq worker` : null;
}

const REPAIR_WORDS: Readonly<Record<RepairedEvent['what'], string>> = {
  job: 'a lost job was added again',
  lease: 'a running task had no lease',
  parent: 'a job waited for one that will not come',
  tree: 'the job tree was damaged',
  report: 'the report was not written',
  gate: 'a gate had opened too early',
  limit: 'a limit was counted wrongly',
  count: 'tasks were counted wrongly',
  orphan: 'a job belonged to nobody',
};

function repairedLine({ what, index, name, was, count }: RepairedEvent, model: RunModel): string {
  const about = index === undefined ? name : model.idOf(index);
  const numbers = was === undefined || count === undefined ? '' : `: ${was} → ${count}`;
  return `Repaired: ${REPAIR_WORDS[what]}${about === undefined ? '' : ` (${clean(about)}${numbers})`}`;
}

function taskLine(event: TaskEvent, id: string): string | null {
  const took = event.durationMs === undefined ? '' : ` (${formatDuration(event.durationMs)})`;
  const why = event.reason === undefined ? '' : `: ${clean(event.reason)}`;
  const attempt = event.attempt ?? 1;
  switch (event.type) {
    case 'task-started':
      return `Launching task: ${id}${attempt > 1 ? ` (attempt ${attempt})` : ''}`;
    case 'task-completed':
      return `Completed task: ${id}${took}`;
    case 'task-retrying':
      return `Retrying task: ${id} in ${formatDuration(event.delayMs ?? 0)}, attempt ${attempt} failed${took}${why}`;
    case 'task-failed':
      return `Failed task: ${id}, attempt ${attempt}${took}${why}`;
    case 'task-parked':
      return `Waiting task: ${id}${why}`;
    case 'task-snoozed':
      return `Handed back task: ${id}${why}`;
    case 'task-cancelled':
      return `Cancelled task: ${id}${took}`;
    case 'task-rescued':
      return `Rescued task: ${id}, its worker is gone`;
    case 'task-warning':
      return `Warning of task: ${id}: ${clean(event.message ?? '')}`;
    case 'task-progress':
    case 'task-superseded':
      return null;
  }
}

/** `a, b and 3 more`. */
export function nameSome(ids: readonly string[], most = NAMED_AT_MOST): string {
  if (ids.length <= most + 1) return ids.join(', ');
  return `${ids.slice(0, most).join(', ')} and ${count(ids.length - most, 'more', 'more')}`;
}
