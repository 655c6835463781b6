/**
 * With `barrier: phase`, no task may need one of a later phase: it would wait for a gate that waits for it.
 */
import type { Problem } from '../runtime/problem.ts';
import { problem } from './codes.ts';
import type { Draft } from './draft.ts';
import type { KnownOrder } from './known-order.ts';
import { orderPhases } from './phases.ts';
import type { Plan } from './plan.ts';

/** Checks that the phases can be ordered. Plans with another barrier need no order. */
export function checkPhases(plan: Plan, draft: Draft, { isInCycle }: KnownOrder): Problem[] {
  if (plan.barrier !== 'phase') return [];
  const order = orderPhases(plan);
  if (order.ok) return [];
  const index = new Map(plan.tasks.map(({ id }, at) => [id, at]));
  const conflicts = order.error.filter(({ task, need }) => !isInCycle(index.get(task.id)!, index.get(need.task)!));
  return conflicts.map(({ task, need, circle }) => {
    const message = `task "${task.id}" of phase "${task.phase}" needs "${need.task}" of the later phase "${circle[1]}"`;
    const hint = 'move one of them to another phase, or use "barrier: none"';
    return problem('phase-order', message, draft.tasks[index.get(task.id)!]!.place('needs'), { hint });
  });
}
