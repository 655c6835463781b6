/**
 * One attempt on its way through the steps.
 */
import type { Outcome } from '../agents/agent.ts';
import type { TaskDefinition } from '../flows/definition.ts';
import type { RunContext } from '../producer/submit.ts';
import { type TaskPaths, taskPaths } from '../producer/workspace.ts';
import type { Held } from './holdings.ts';

/** What is known of an attempt when it begins. */
export interface AttemptStart {
  held: Held;
  /** Parent of the task's job in BullMQ; null without one. */
  parentId: string | null;
  number: number;
  /** Attempts used since the task was submitted or last retried by a person. */
  used: number;
  startedAt: number;
  task: TaskDefinition;
  context: RunContext;
  /** What the claim gave for the settle. */
  hint: string;
}

export class Attempt {
  readonly held: Held;
  readonly parentId: string | null;
  readonly number: number;
  readonly used: number;
  readonly startedAt: number;
  readonly task: TaskDefinition;
  readonly context: RunContext;
  readonly hint: string;
  /** Values of the task's secrets, once they are read. */
  secrets?: Record<string, string>;
  /** What the agent said, once it has. */
  outcome?: Outcome;
  #paths: TaskPaths | undefined;

  constructor(start: AttemptStart) {
    this.held = start.held;
    this.parentId = start.parentId;
    this.number = start.number;
    this.used = start.used;
    this.startedAt = start.startedAt;
    this.task = start.task;
    this.context = start.context;
    this.hint = start.hint;
  }

  /** Where its files are; worked out for who asks. */
  get paths(): TaskPaths {
    this.#paths ??= taskPaths(this.context.projectDir, this.context.workspace, this.task.id);
    return this.#paths;
  }
}
