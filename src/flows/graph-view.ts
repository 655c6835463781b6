/** A run's graph as it is now, and what waits behind a node of it. Pure. */
import { isSettled } from '../plan/states.ts';
import type { TaskRecord } from './run-view.ts';

export interface NodeView {
  index: number;
  /** Task id, or `gate:<n>`. */
  id: string;
  isGate: boolean;
  record: TaskRecord;
  /** Indexes of the nodes that wait for it. */
  dependents: readonly number[];
}

/** How many tasks that have not ended come after a node, over any number of nodes. */
export function countBehind(nodes: readonly NodeView[], index: number): number {
  const seen = new Set([index]);
  let count = 0;
  for (const at of seen) {
    for (const next of nodes[at]?.dependents ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      const node = nodes[next];
      if (node !== undefined && !node.isGate && !isSettled(node.record.s)) count++;
    }
  }
  return count;
}

/** How many tasks are blocked because of a node that failed. */
export function countBlocked(nodes: readonly NodeView[], index: number): number {
  return nodes.filter(({ isGate, record }) => !isGate && record.s === 'blocked' && record.b?.includes(index)).length;
}
