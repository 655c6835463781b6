/**
 * Stages: the tasks that may run side by side. Either as the author lists them, or the levels of the graph.
 */
import { topologicalOrder } from './order.ts';
import type { Plan, Task } from './plan.ts';

/** Most stages that wait for each other; a longer plan should be split. */
export const MAX_STAGES = 10;

/** For each task the indexes of the tasks that it needs, each once. */
export function needIndexes(tasks: readonly Task[]): number[][] {
  const index = new Map(tasks.map((task, at) => [task.id, at]));
  return tasks.map(({ needs }) => [...new Set(needs.map((need) => index.get(need.task)!))]);
}

/** The 1-based level of each task: 1 without needs, else one more than the highest level among its needs. */
export function levelsOf(tasks: readonly Task[]): number[] {
  const needs = needIndexes(tasks);
  const levels = new Array<number>(tasks.length).fill(1);
  for (const node of topologicalOrder(needs)) {
    for (const need of needs[node]!) levels[node] = Math.max(levels[node]!, levels[need]! + 1);
  }
  return levels;
}

/** The 1-based stage of each task of a valid plan: as listed, else its level. */
export function stageNumbers(plan: Pick<Plan, 'tasks' | 'stages'>): number[] {
  if (plan.stages === null) return levelsOf(plan.tasks);
  const listed = new Map(plan.stages.flatMap((stage, index) => stage.map((id) => [id, index + 1] as const)));
  return plan.tasks.map(({ id }) => listed.get(id) ?? 1);
}

/** Task ids per stage, in plan order within each (as listed when the author listed them). */
export function stagesOf(plan: Pick<Plan, 'tasks' | 'stages'>): string[][] {
  if (plan.stages !== null) return plan.stages.map((stage) => [...stage]);
  const stages: string[][] = [];
  for (const [index, level] of levelsOf(plan.tasks).entries()) {
    while (stages.length < level) stages.push([]);
    stages[level - 1]!.push(plan.tasks[index]!.id);
  }
  return stages;
}
