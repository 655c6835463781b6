/**
 * How long a plan takes at the least, with enough workers: its longest path.
 */
import { longestFrom, minMinutes } from './graph.ts';
import type { Graph, Plan } from './plan.ts';

export interface CriticalPath {
  /** Ids of the tasks on the longest path by upper bounds, in order. */
  tasks: string[];
  /** Longest path if every task takes its lower bound; may run through other tasks. */
  minMinutes: number;
  /** Longest path if every task takes its upper bound. */
  maxMinutes: number;
}

/** Finds the longest path, gates of the barrier included. Among equals the task that comes first in the plan wins. */
export function criticalPath(plan: Plan, graph: Graph): CriticalPath {
  const needs = graph.nodes.map((node) => [...new Set(node.needs.map(({ from }) => from))]);
  const dependents = graph.nodes.map((node) => node.dependents);
  const shortest = longestFrom(needs, dependents, (index) => minMinutes(plan.tasks[index]));
  const path = followLongest(graph);
  return {
    tasks: path.filter((index) => index < graph.taskCount).map((index) => graph.nodes[index]!.id),
    minMinutes: shortest.reduce((most, minutes) => Math.max(most, minutes), 0),
    maxMinutes: path.length === 0 ? 0 : graph.nodes[path[0]!]!.remainingMinutes,
  };
}

function followLongest({ nodes }: Graph): number[] {
  const longest = (indexes: readonly number[]): number | undefined =>
    indexes.reduce<number | undefined>(
      (best, index) =>
        best === undefined || nodes[index]!.remainingMinutes > nodes[best]!.remainingMinutes ? index : best,
      undefined,
    );
  const path: number[] = [];
  for (let next = longest(nodes.map(({ index }) => index)); next !== undefined; next = longest(nodes[next]!.dependents))
    path.push(next);
  return path;
}
