/**
 * The agent `noop`: completes at once and does nothing. For tasks that only join others, and for trying out a plan's order.
 */
import type { Agent, StopReason } from './agent.ts';
import { toStoppedOutcome } from './outcomes.ts';

/** Needs no process and no option; options meant for other agents are ignored. */
export function createNoopAgent(): Agent {
  return {
    kind: 'noop',
    validate: () => [],
    perform: async ({ signal }) =>
      signal.aborted ? toStoppedOutcome(signal.reason as StopReason) : { kind: 'completed', values: {} },
  };
}
