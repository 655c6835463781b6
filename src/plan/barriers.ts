/**
 * Barriers are edges: each kind is compiled into gate nodes, so that one scheduler serves all three.
 *
 * - `none`: no gate.
 * - `stage`: gate n waits until every task of stage n has ended, in whatever way; stage n+1 waits for it. A failed task
 *   blocks only what needs it.
 * - `phase`: gate n waits until every task of phase n has passed (completed, skipped or tolerated). A task of the next phase
 *   that asks about failures must run after failures too: it waits for `gate:n:ended`, which waits only for the end.
 */
import type { Barriers, Gate } from './gates.ts';
import { orderPhases } from './phases.ts';
import type { GraphEdge, Plan, Task } from './plan.ts';
import { stageNumbers } from './stages.ts';

/** Compiles the plan's barrier. The plan is valid, so its phases can be ordered. */
export function compileBarrier(plan: Plan): Barriers {
  const { tasks } = plan;
  if (plan.barrier === 'none') return { gates: [], groups: tasks.map(() => 0), edges: tasks.map(() => []) };
  if (plan.barrier === 'stage') return stageBarrier(stageNumbers(plan), tasks.length);
  const order = orderPhases(plan);
  if (!order.ok)
    throw new Error(`phases cannot be ordered: ${order.error.map(({ circle }) => circle.join(' → ')).join(', ')}`);
  const ordinals = new Map(order.value.map((phase, index) => [phase, index + 1]));
  return phaseBarrier(
    tasks,
    tasks.map(({ phase }) => ordinals.get(phase)!),
  );
}

function stageBarrier(groups: number[], taskCount: number): Barriers {
  const gates = chain(groups, taskCount, 'done', (ordinal) => `gate:${ordinal}`);
  const edges = groups.map((group): GraphEdge[] =>
    group === 1 ? [] : [{ from: taskCount + group - 2, when: 'success' }],
  );
  return { gates, groups, edges };
}

function phaseBarrier(tasks: readonly Task[], groups: number[]): Barriers {
  const passed = chain(groups, tasks.length, 'passed', (ordinal) => `gate:${ordinal}`);
  const asksForEnd = tasks.map(({ needs }) => needs.some(({ when }) => when !== 'success'));
  const lastAsked = Math.max(0, ...groups.filter((_, index) => asksForEnd[index]).map((group) => group - 1));
  const start = tasks.length + passed.length;
  const ended = chain(groups, start, 'done', (ordinal) => `gate:${ordinal}:ended`).slice(0, lastAsked);
  const edges = groups.map((group, index): GraphEdge[] => {
    const base = asksForEnd[index] ? start : tasks.length;
    return group === 1 ? [] : [{ from: base + group - 2, when: 'success' }];
  });
  return { gates: [...passed, ...ended], groups, edges };
}

/**
 * One gate for every group but the last, each waiting for its tasks and for the gate before.
 * @param start node index of the first gate
 */
function chain(
  groups: readonly number[],
  start: number,
  when: 'done' | 'passed',
  idOf: (ordinal: number) => string,
): Gate[] {
  const last = groups.reduce((most, group) => Math.max(most, group), 1);
  const gates = Array.from({ length: last - 1 }, (_, index): Gate => {
    const before: GraphEdge[] = index === 0 ? [] : [{ from: start + index - 1, when: 'success' }];
    return { id: idOf(index + 1), closes: index + 1, needs: before };
  });
  for (const [task, group] of groups.entries()) gates[group - 1]?.needs.push({ from: task, when });
  return gates;
}
