/**
 * A gate while the graph is being built: it closes a stage or a phase.
 */
import type { GraphEdge } from './plan.ts';

export interface Gate {
  id: string;
  /** 1-based ordinal of what it closes. */
  closes: number;
  needs: GraphEdge[];
}

/** What a barrier adds to the plan's own edges. Gate number `i` becomes node `taskCount + i`. */
export interface Barriers {
  gates: Gate[];
  /** For each task its group: stage, phase ordinal, or 0. */
  groups: number[];
  /** For each task the edges onto gates. */
  edges: GraphEdge[][];
}
