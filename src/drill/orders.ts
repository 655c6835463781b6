/** What the journaling agent (`programs/agent.mjs`) is told. */
import { fileURLToPath } from 'node:url';

export interface AgentOrders {
  /** Milliseconds. Default 100. */
  work?: number;
  /** Write a line every 15 ms. */
  ticks?: boolean;
  /** Attempts that fail before one succeeds. */
  failTimes?: number;
  /** Attempts that do nothing and never end before one works. */
  hangTimes?: number;
  /** Work on until this file is there. */
  gate?: string;
  /** Fail while this file is not there. */
  needsFile?: string;
  ignoreTerm?: boolean;
  /** Processes left running, deaf to TERM; every second one in a session of its own. */
  children?: number;
  /** Bytes of output before the work, as fast as they can be written; and a last line after it. */
  floodBytes?: number;
  /** Units of a limited resource, for the journal. */
  takes?: number;
}

export const AGENT = fileURLToPath(new URL('./programs/agent.mjs', import.meta.url));

/**
 * The command of a task that the agent performs.
 * @param place where it writes, and the name by which its processes can be recognised
 */
export function toCommand(orders: AgentOrders, place: { journal: string; name: string }): string[] {
  const all = { work: 100, failTimes: 0, takes: 0, ...orders, ...place };
  return [process.execPath, AGENT, JSON.stringify(all)];
}
