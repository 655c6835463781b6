/**
 * What a run of a graph comes to, when it is known how each task that runs ends. A reference: simple enough to be checked by
 * eye, so that tests can hold the real scheduler against it, and dry runs can use it.
 *
 * | edge    | completed | failed, tolerated | failed  | blocked | skipped |
 * |---------|-----------|-------------------|---------|---------|---------|
 * | success | met       | met               | blocks  | blocks  | skips   |
 * | done    | met       | met               | met     | met     | met     |
 * | failed  | skips     | met               | met     | met     | skips   |
 * | passed  | met       | met               | blocks  | blocks  | met     |
 *
 * One blocking edge blocks the node; else one skipping edge skips it; else it runs. A gate that runs completes.
 */
import { topologicalOrder } from './order.ts';
import type { EdgeCondition, Graph, GraphNode } from './plan.ts';

/** How a task ends that runs; `tolerated` is a failure with `continue-on-error`. */
export type TaskEnd = 'completed' | 'failed' | 'tolerated';

export interface FinalState {
  state: TaskEnd | 'blocked' | 'skipped';
  /** Ids of the failed tasks because of which it is blocked, sorted; empty otherwise. */
  blockedBy: string[];
}

type Effect = 'met' | 'blocks' | 'skips';

const EFFECTS: Record<EdgeCondition, Record<FinalState['state'], Effect>> = {
  success: { completed: 'met', tolerated: 'met', failed: 'blocks', blocked: 'blocks', skipped: 'skips' },
  done: { completed: 'met', tolerated: 'met', failed: 'met', blocked: 'met', skipped: 'met' },
  failed: { completed: 'skips', tolerated: 'met', failed: 'met', blocked: 'met', skipped: 'skips' },
  passed: { completed: 'met', tolerated: 'met', failed: 'blocks', blocked: 'blocks', skipped: 'met' },
};

/** What an edge of the kind `when` does to its node, once the node that it waits for is in `state`. */
export function edgeEffect(when: EdgeCondition, state: FinalState['state']): Effect {
  return EFFECTS[when][state];
}

/**
 * The final state of every node, by index.
 * @param outcomeOf asked for each task that runs, in an order in which needs come first
 */
export function finalStates(graph: Graph, outcomeOf: (index: number) => TaskEnd): FinalState[] {
  const finals: FinalState[] = [];
  for (const index of topologicalOrder(graph.nodes.map((node) => node.needs.map(({ from }) => from)))) {
    finals[index] = settle(graph.nodes[index]!, finals, graph, outcomeOf);
  }
  return finals;
}

function settle(
  node: GraphNode,
  finals: readonly FinalState[],
  graph: Graph,
  outcomeOf: (index: number) => TaskEnd,
): FinalState {
  const effects = node.needs.map(({ from, when }) => ({ from, effect: edgeEffect(when, finals[from]!.state) }));
  const blocking = effects.filter(({ effect }) => effect === 'blocks');
  if (blocking.length > 0)
    return {
      state: 'blocked',
      blockedBy: rootsOf(
        blocking.map(({ from }) => from),
        finals,
        graph,
      ),
    };
  if (effects.some(({ effect }) => effect === 'skips')) return { state: 'skipped', blockedBy: [] };
  return { state: node.kind === 'gate' ? 'completed' : outcomeOf(node.index), blockedBy: [] };
}

/** A failed task is itself the root; a blocked one passes its roots on. */
function rootsOf(blockers: readonly number[], finals: readonly FinalState[], graph: Graph): string[] {
  const roots = blockers.flatMap((index) =>
    finals[index]!.state === 'failed' ? [graph.nodes[index]!.id] : finals[index]!.blockedBy,
  );
  return [...new Set(roots)].sort();
}
