/**
 * One attempt on its way through the steps.
 */
import type { Outcome } from '../agents/agent.ts';
import type { TaskDefinition } from '../flows/record.ts';
import type { RunContext } from '../producer/submit.ts';
import type { TaskPaths } from '../producer/workspace.ts';
import type { Held } from './holdings.ts';

export interface Attempt {
  held: Held;
  /** Parent of the task's job in BullMQ; null without one. */
  parentId: string | null;
  number: number;
  /** Attempts used since the task was submitted or last retried by a person. */
  used: number;
  startedAt: number;
  task: TaskDefinition;
  context: RunContext;
  paths: TaskPaths;
  /** Values of the task's secrets, once they are read. */
  secrets?: Record<string, string>;
  /** What the agent said, once it has. */
  outcome?: Outcome;
}
