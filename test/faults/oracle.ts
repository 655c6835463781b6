/**
 * Counts broken promises from what the agents wrote, what the record says and which events it told. Pure, but for the
 * look at processes. What the drill counts as well stands with it.
 */
import type { Event, TaskEvent } from '../../src/events/event.ts';
import type { RunView, TaskView } from '../../src/flows/run-view.ts';
import { isSettled } from '../../src/plan/states.ts';
import type { Entry } from './journal.ts';
import { isResting } from './lab.ts';

export { findOverlaps, mostInUse } from '../../src/drill/count.ts';
export { findSurvivors } from '../../src/drill/survivors.ts';

/** Tasks that were accepted and have no outcome, though their run is at rest; and those that "completed" without work. */
export function findLost(views: readonly RunView[], entries: readonly Entry[]): string[] {
  const done = new Set(entries.filter(isSuccess).map((entry) => `${entry.run}.${entry.task}`));
  const isLost = (run: string, task: TaskView): boolean =>
    !isSettled(task.state) || (task.state === 'completed' && !done.has(`${run}.${task.id}`));
  return views
    .filter(isResting)
    .flatMap(({ run, tasks }) => tasks.filter((task) => isLost(run.id, task)).map((task) => `${run.id}.${task.id}`));
}

/** Runs in which something could move and does not. */
export function findStuck(views: readonly RunView[]): string[] {
  return views.filter((view) => !isResting(view)).map((view) => view.run.id);
}

/**
 * Attempts with two outcomes, tasks that completed twice, and tasks that an agent did successfully more than once without
 * a fault in between that the record knows of.
 */
export function findTwice(views: readonly RunView[], entries: readonly Entry[], events: readonly Event[]): string[] {
  return views.flatMap(({ run, tasks }) =>
    tasks.flatMap((task, index) => {
      const own = events.filter(
        (event): event is TaskEvent => 'task' in event && event.run === run.id && event.task === index,
      );
      const count = (...types: TaskEvent['type'][]): number => own.filter(({ type }) => types.includes(type)).length;
      const outcomes = own.filter(({ type }) => ['task-completed', 'task-failed', 'task-retrying'].includes(type));
      const attempts = new Set(outcomes.map((event) => event.attempt));
      const faults = count('task-rescued', 'task-snoozed', 'task-superseded');
      const successes = entries.filter((entry) => entry.run === run.id && entry.task === task.id && isSuccess(entry));
      const isTwice = outcomes.length > attempts.size || count('task-completed') > 1 || successes.length > 1 + faults;
      return isTwice
        ? [`${run.id}.${task.id}: ${outcomes.length} outcomes, ${successes.length} successes, ${faults} faults`]
        : [];
    }),
  );
}

/** Agents that started before everything that their task needs had been done. */
export function findEarly(views: readonly RunView[], entries: readonly Entry[]): string[] {
  const needs = new Map(views.flatMap(({ run, tasks }) => tasks.map((task) => [`${run.id}.${task.id}`, task.needs])));
  const done = new Set<string>();
  const early: string[] = [];
  for (const entry of entries) {
    if (isSuccess(entry)) done.add(`${entry.run}.${entry.task}`);
    if (entry.event !== 'start') continue;
    const missing = (needs.get(`${entry.run}.${entry.task}`) ?? []).filter((need) => !done.has(`${entry.run}.${need}`));
    early.push(...missing.map((need) => `${entry.run}.${entry.task} before ${need}`));
  }
  return early;
}

function isSuccess(entry: Entry): boolean {
  return entry.event === 'end' && entry.code === 0;
}
