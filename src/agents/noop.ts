/**
 * The agent `noop`: completes at once and does nothing. For tasks that only join others, and for trying out a plan's order.
 */
import type { Agent } from './agent.ts';
import { toStoppedOutcome } from './outcomes.ts';

/** Needs no process and no option; options meant for other agents are ignored. */
export function createNoopAgent(): Agent {
  return {
    kind: 'noop',
    validate: () => [],
    perform: async ({ stopReason }) =>
      stopReason === undefined ? { kind: 'completed' } : toStoppedOutcome(stopReason),
  };
}
