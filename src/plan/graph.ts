/**
 * Valid plan → graph: tasks first, in plan order, then the gates that the barrier adds. Everything later (records, flows,
 * drawings, dry runs) works on this.
 */
import { compileBarrier } from './barriers.ts';
import { dependentsOf, topologicalOrder } from './order.ts';
import { orderPhases, phasesByStage } from './phases.ts';
import { DEFAULT_ESTIMATE_MINUTES, type Graph, type GraphEdge, type GraphNode, type Plan, type Task } from './plan.ts';
import { stageNumbers, stagesOf } from './stages.ts';

type Unfinished = Omit<GraphNode, 'dependents' | 'remainingMinutes'>;

/**
 * Compiles a valid plan.
 * @throws Error when the plan is not valid (phases that cannot be ordered)
 */
export function compileGraph(plan: Plan): Graph {
  const nodes = compileNodes(plan);
  const needs = nodes.map((node) => [...new Set(node.needs.map(({ from }) => from))]);
  const dependents = dependentsOf(needs);
  const remaining = longestFrom(needs, dependents, (index) => maxMinutes(plan.tasks[index]));
  return {
    nodes: nodes.map((node, index) => ({
      ...node,
      dependents: dependents[index]!,
      remainingMinutes: remaining[index]!,
    })),
    taskCount: plan.tasks.length,
    stages: stagesOf(plan),
    phases: orderedPhases(plan),
  };
}

/** Minutes by the estimate's upper bound; 0 for a gate. */
export function maxMinutes(task: Task | undefined): number {
  return task === undefined ? 0 : (task.estimate?.maxMinutes ?? DEFAULT_ESTIMATE_MINUTES);
}

/** Minutes by the estimate's lower bound; 0 for a gate. */
export function minMinutes(task: Task | undefined): number {
  return task === undefined ? 0 : (task.estimate?.minMinutes ?? DEFAULT_ESTIMATE_MINUTES);
}

/** For each node the length of the longest path from it to the end, itself included. */
export function longestFrom(
  needs: readonly (readonly number[])[],
  dependents: readonly (readonly number[])[],
  lengthOf: (index: number) => number,
): number[] {
  const longest = new Array<number>(needs.length).fill(0);
  for (const node of topologicalOrder(needs).reverse()) {
    const after = dependents[node]!.reduce((most, dependent) => Math.max(most, longest[dependent]!), 0);
    longest[node] = lengthOf(node) + after;
  }
  return longest;
}

function compileNodes(plan: Plan): Unfinished[] {
  const barriers = compileBarrier(plan);
  const numbers = stageNumbers(plan);
  const index = new Map(plan.tasks.map(({ id }, at) => [id, at]));
  const tasks = plan.tasks.map((task, at): Unfinished => {
    const own = task.needs.map((need): GraphEdge => ({ from: index.get(need.task)!, when: need.when }));
    return {
      index: at,
      id: task.id,
      kind: 'task',
      stage: numbers[at]!,
      group: barriers.groups[at]!,
      needs: [...own, ...barriers.edges[at]!],
    };
  });
  const gates = barriers.gates.map(({ id, closes, needs }, at): Unfinished => {
    return { index: tasks.length + at, id, kind: 'gate', stage: closes, group: closes, needs };
  });
  return [...tasks, ...gates];
}

function orderedPhases(plan: Plan): string[] {
  const order = plan.barrier === 'phase' ? orderPhases(plan) : undefined;
  return order?.ok ? order.value : phasesByStage(plan);
}
