/**
 * The table of agents: a word in a plan → what performs the work.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Agent } from './agent.ts';
import { createCommandAgent } from './command.ts';
import { createFakeAgent } from './fake.ts';
import { createFunctionAgent } from './function.ts';
import { createLimiter } from './limiter.ts';
import { createNoopAgent } from './noop.ts';
import type { AgentTools } from './perform-process.ts';
import { createProcessTable } from './process-table.ts';

const AGENTS: Readonly<Record<string, (tools: AgentTools) => Agent>> = {
  command: createCommandAgent,
  function: createFunctionAgent,
  noop: createNoopAgent,
  fake: createFakeAgent,
};

/** Every word that `agent:` may name. */
export const KNOWN_AGENTS: ReadonlySet<string> = new Set(Object.keys(AGENTS));

/** One agent of each kind; they share one view of the machine's processes. */
export function createAgents({ clock }: { clock: Clock }): Map<string, Agent> {
  const tools: AgentTools = { clock, table: createProcessTable(clock), limiter: createLimiter({ clock }) };
  return new Map(Object.entries(AGENTS).map(([kind, create]) => [kind, create(tools)]));
}
