/**
 * Circles in needs, shown as the path that closes.
 */
import type { Problem } from '../runtime/problem.ts';
import { problem } from './codes.ts';
import { findCycles } from './cycles.ts';
import type { Draft } from './draft.ts';
import type { Plan } from './plan.ts';
import { needIndexes } from './stages.ts';

/** The circles of a plan, one for each knot of tasks that need each other, by index. */
export function findPlanCycles({ tasks }: Pick<Plan, 'tasks'>): number[][] {
  return findCycles(needIndexes(tasks));
}

/** One problem for each circle, placed at the needs of its first task. */
export function checkCycles(plan: Pick<Plan, 'tasks'>, draft: Draft, cycles: readonly number[][]): Problem[] {
  return cycles.map((cycle) => {
    const path = [...cycle, cycle[0]!].map((index) => plan.tasks[index]!.id).join(' → ');
    const message = `tasks need each other in a circle: ${path}`;
    return problem('cycle', message, draft.tasks[cycle[0]!]!.place('needs'), {
      hint: 'each needs the next; take one need out',
    });
  });
}
