/**
 * What an agent is to the rest of planq. An agent turns an {@link Invocation} into an {@link Outcome}, a value; what it
 * throws is a bug. Agents know nothing of Redis, runs in general, or BullMQ.
 */
import type { JsonValue, Task } from '../plan/plan.ts';
import type { Problem } from '../runtime/problem.ts';
import type { ResourceLimits } from './limit.ts';
import type { Isolation } from './namespace.ts';

/** One attempt at one task, with everything that the agent may use. All paths are absolute. */
export interface Invocation {
  runId: string;
  task: Task;
  /** Counted from 1. */
  attempt: number;
  /** Unguessable; carried as PLANQ_ATTEMPT_TOKEN in the environment of every process of this attempt. */
  token: string;
  /** The project folder: the working directory of the agent. */
  projectDir: string;
  outputDir: string;
  workspaceDir: string;
  logFile: string;
  pidFile: string;
  /** JSON file with the handoff; PLANQ_HANDOFF. */
  handoffFile: string;
  /** Text file with the task's prompt; PLANQ_PROMPT. */
  promptFile: string;
  /** File of `key=value` lines that the agent may write; PLANQ_OUTPUT. */
  outputFile: string;
  /** Files that the agent must leave behind, absolute (the fake agent writes them). Directories end in `/`. */
  outputs: string[];
  /** The complete environment for the agent's process: allow-listed, plan's `env`, PLANQ_* words. */
  env: Record<string, string>;
  timeoutMs: number;
  /** No sign of progress for so long = zombie. */
  zombieMs: number;
  /** From TERM to KILL. */
  graceMs: number;
  /** Most bytes kept of the log. */
  logLimitBytes: number;
  /** Where the agent's processes live; `tier.ts` knows what this machine can do. Default: `none`. */
  isolation?: Isolation;
  /** Most that the attempt may use; without it nothing is limited. */
  limits?: ResourceLimits;
  /** Aborted with a {@link StopReason} when the attempt must end now. */
  signal: AbortSignal;
  /** The same where it is asked for once: undefined while nothing has stopped the attempt. */
  stopReason: StopReason | undefined;
  /** Told of progress, warnings, last output lines. Never throws. */
  report(report: AgentReport): void;
}

/** Why an attempt is stopped from outside; the `reason` of {@link Invocation.signal}. */
export type StopReason = 'cancel' | 'shutdown' | 'lost';

export type AgentReport =
  /** The outermost process: the agent's own, or the one that holds its namespace. */
  | { kind: 'spawned'; pid: number; startTime: string }
  | { kind: 'progress'; percent?: number; message?: string }
  | { kind: 'lines'; lines: string[] }
  | { kind: 'warning'; message: string };

/**
 * How an attempt ended.
 * - `completed`: the agent says it is done; verification comes after
 * - `failed`: final, no further attempt
 * - `retryable`: this attempt failed, another may work
 * - `snoozed`: put back without using an attempt
 * - `cancelled`: stopped on a person's word
 */
export type Outcome =
  | { kind: 'completed'; exitCode?: number; values?: Record<string, JsonValue> }
  | { kind: 'failed'; reason: string; exitCode?: number }
  | { kind: 'retryable'; reason: string; exitCode?: number }
  | { kind: 'snoozed'; reason: string; delayMs: number }
  | { kind: 'cancelled'; reason: string };

export interface Agent {
  /** The word in `agent:`. */
  kind: string;
  /** Checks `run` and `with` of a task before anything starts. */
  validate(task: Task): Problem[];
  /** Performs one attempt. Resolves only when every process of the attempt is gone, or reports what could not be stopped. */
  perform(invocation: Invocation): Promise<Outcome>;
}
