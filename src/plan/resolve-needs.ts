/**
 * Needs name tasks; a need on a matrix task means all its variants. Names that do not exist get the nearest one that does.
 */
import type { Problem } from '../runtime/problem.ts';
import { problem } from './codes.ts';
import type { Draft, DraftNeed, DraftTask } from './draft.ts';
import type { Need, Task } from './plan.ts';
import { createSuggester } from './suggest.ts';

/** Most needs of a whole plan; two matrices of 256 variants that need each other's tasks have 65,536. */
export const MAX_NEEDS = 1_000_000;

interface Names {
  /** Author's names and ids → ids of the tasks that are meant. */
  ids: ReadonlyMap<string, string[]>;
  unreadable: ReadonlySet<string>;
  suggest(word: string): string | undefined;
}

/** Author's names and ids → ids of the tasks that are meant. */
export function taskNames(draft: Pick<Draft, 'tasks'>): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { name, task } of draft.tasks) {
    const ids = names.get(name);
    if (ids === undefined) names.set(name, [task.id]);
    else ids.push(task.id);
    if (name !== task.id) names.set(task.id, [task.id]);
  }
  return names;
}

/** Fills in the needs of every task. Needs that cannot be met are left out and reported. */
export function resolveNeeds(draft: Draft): { tasks: Task[]; problems: Problem[] } {
  const ids = taskNames(draft);
  const names: Names = { ids, unreadable: draft.unreadable, suggest: createSuggester(ids.keys()) };
  const problems: Problem[] = [];
  const told = new Set<string>();
  let count = 0;
  const tasks = draft.tasks.map((one) => {
    const found = count > MAX_NEEDS ? { needs: [], problems: [] } : resolveTask(one, names);
    count += found.needs.length;
    // The variants of a matrix share their needs, and so their mistakes.
    if (!told.has(one.name)) problems.push(...found.problems);
    told.add(one.name);
    return { ...one.task, needs: found.needs };
  });
  if (count > MAX_NEEDS)
    problems.push(problem('too-many-needs', `the plan has more than ${MAX_NEEDS} needs`, draft.place('tasks')));
  return { tasks, problems };
}

function resolveTask(one: DraftTask, names: Names): { needs: Need[]; problems: Problem[] } {
  const needs = new Map<string, Need>();
  const problems = one.needs.flatMap((need) => {
    const ids = names.ids.get(need.task);
    if (ids === undefined) return names.unreadable.has(need.task) ? [] : [unknownNeed(one, need, names)];
    if (need.task === one.name || ids.includes(one.task.id)) {
      return [problem('self-need', `task "${one.name}" needs itself`, need.place)];
    }
    return addNeeds(needs, ids, need, one);
  });
  return { needs: [...needs.values()], problems };
}

function addNeeds(needs: Map<string, Need>, ids: readonly string[], need: DraftNeed, one: DraftTask): Problem[] {
  const before = ids.map((id) => needs.get(id)).filter((known) => known !== undefined);
  for (const id of ids) if (!needs.has(id)) needs.set(id, { task: id, when: need.when });
  if (before.length === 0) return [];
  const other = before.find(({ when }) => when !== need.when);
  const message = `task "${one.name}" needs "${need.task}" twice`;
  return other === undefined
    ? [problem('duplicate-need', message, need.place, { severity: 'warning' })]
    : [problem('duplicate-need', `${message}, with the conditions "${other.when}" and "${need.when}"`, need.place)];
}

function unknownNeed(one: DraftTask, need: DraftNeed, names: Names): Problem {
  const message = `task "${one.name}" needs "${need.task}", which is no task of this plan`;
  return problem('unknown-need', message, need.place, { hint: names.suggest(need.task) });
}
