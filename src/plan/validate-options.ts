/**
 * What a plan is checked against, besides itself. Handed in, so that `plan/` need not know the agents or the configuration.
 */
import type { Barrier } from './plan.ts';

export interface ValidateOptions {
  /** Kinds of agents that exist. */
  knownAgents: ReadonlySet<string>;
  /** Capacities that the configuration gives; they come before the plan's. */
  resources: Readonly<Record<string, number>>;
  /** Replaces the agent of every task (`--agent`). */
  agent?: string;
  /** For tasks that name none. */
  defaultAgent?: string;
  /** Replaces the plan's barrier. */
  barrier?: Barrier;
}
