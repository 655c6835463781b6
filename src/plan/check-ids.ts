/**
 * Ids are unique, and none lies inside another: `a` and `a/b` would share an output folder.
 */
import type { Problem } from '../runtime/problem.ts';
import { problem } from './codes.ts';
import type { Draft } from './draft.ts';
import { isTaskId } from './names.ts';
import { MAX_TASKS } from './schema.ts';

/** Checks the ids of all tasks, and how many there are. */
export function checkIds(draft: Draft): Problem[] {
  if (draft.tasks.length === 0)
    return draft.unreadable.size > 0 ? [] : [problem('no-tasks', 'the plan has no task', draft.place('tasks'))];
  if (draft.tasks.length > MAX_TASKS) {
    return [problem('too-many-tasks', `the plan has more than ${MAX_TASKS} tasks`, draft.place('tasks'))];
  }
  const ids = new Map<string, number>();
  for (const { task } of draft.tasks) ids.set(task.id, (ids.get(task.id) ?? 0) + 1);
  const seen = new Set<string>();
  return draft.tasks.flatMap(({ task, place }) => {
    const problems: Problem[] = [];
    if (!isTaskId(task.id))
      problems.push(
        problem(
          'bad-id',
          `task id "${task.id}" is not allowed: letters, digits, ".", "_", "-" and "/", at most 200`,
          place('id'),
        ),
      );
    if (seen.has(task.id)) problems.push(problem('duplicate-task', `two tasks have the id "${task.id}"`, place('id')));
    seen.add(task.id);
    const outer = ancestorsOf(task.id).find((id) => ids.has(id));
    if (outer !== undefined) {
      problems.push(
        problem(
          'nested-id',
          `task "${task.id}" lies inside task "${outer}": their output folders would mix`,
          place('id'),
        ),
      );
    }
    return problems;
  });
}

function ancestorsOf(id: string): string[] {
  const parts = id.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
