/**
 * The environment of an agent's process: little from the worker, then the plan's, then ours. The worker's secrets, the
 * address of Redis above all, are not handed on.
 */
import path from 'node:path';
import { matchesName } from '../plan/env-names.ts';
import type { Invocation } from './agent.ts';
import { MARKER } from './proc.ts';
import { toWorkerWords, type WorkerMark } from './worker-mark.ts';

/** Taken from the worker when set. A trailing `*` stands for any ending. */
const ALLOWED = [
  'PATH',
  'HOME',
  'LANG',
  'LC_*',
  'TERM',
  'TZ',
  'TMPDIR',
  'USER',
  'SHELL',
  // Steers the fake agent without a change to the plan.
  'PLANQ_FAKE*',
];

/**
 * Not taken from the worker, whatever the configuration names: whoever reaches Redis can run commands on every worker, and
 * what is named PLANQ_ is ours.
 */
function isWithheld(name: string): boolean {
  return name === 'REDIS_URL' || (name.startsWith('PLANQ_') && !name.startsWith('PLANQ_FAKE'));
}

export type EnvironmentParts = Pick<
  Invocation,
  'runId' | 'task' | 'attempt' | 'token' | 'outputDir' | 'workspaceDir' | 'handoffFile' | 'promptFile' | 'outputFile'
> & {
  workerEnv: Readonly<Record<string, string | undefined>>;
  /** Further names, or beginnings with `*`, that the configuration lets through. */
  passEnv?: readonly string[];
  /** Values of the secrets that the task names. */
  secrets?: Readonly<Record<string, string>>;
  /** Whose agent it is. */
  worker?: WorkerMark;
};

/** Later ones win: allowed worker variables, matrix values as MATRIX_<KEY>, the plan's `env`, its secrets, PLANQ_ words. */
export function buildEnvironment(parts: EnvironmentParts): Record<string, string> {
  return {
    ...allowedEnvironment(parts.workerEnv, parts.passEnv),
    ...matrixWords(parts.task.matrix),
    ...parts.task.env,
    ...parts.secrets,
    PLANQ_RUN_ID: parts.runId,
    PLANQ_TASK_ID: parts.task.id,
    PLANQ_ATTEMPT: String(parts.attempt),
    PLANQ_HANDOFF: parts.handoffFile,
    PLANQ_PROMPT: parts.promptFile,
    PLANQ_OUTPUT: parts.outputFile,
    PLANQ_OUTPUT_DIR: parts.outputDir,
    PLANQ_WORKSPACE: parts.workspaceDir,
    ...undoWords(parts),
    [MARKER]: parts.token,
    ...(parts.worker === undefined ? {} : toWorkerWords(parts.worker)),
  };
}

/** Which task of which run an undo takes back, and where its files are. */
function undoWords({ task, workspaceDir }: EnvironmentParts): Record<string, string> {
  if (task.undoes === undefined) return {};
  return {
    PLANQ_UNDO_RUN: task.undoes.run,
    PLANQ_UNDO_TASK: task.undoes.task,
    PLANQ_UNDO_OUTPUT_DIR: path.join(workspaceDir, 'outputs', task.undoes.task),
  };
}

/** What of the worker's own environment any process of somebody else may see. */
export function allowedEnvironment(
  workerEnv: EnvironmentParts['workerEnv'],
  passEnv: readonly string[] = [],
): Record<string, string> {
  return passedEnvironment(workerEnv, [...ALLOWED, ...passEnv]);
}

/** The variables of `env` whose names match; a trailing `*` stands for any ending. What is withheld is never among them. */
export function passedEnvironment(
  env: EnvironmentParts['workerEnv'],
  patterns: readonly string[],
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || isWithheld(name)) continue;
    if (patterns.some((pattern) => matchesName(name, pattern))) passed[name] = value;
  }
  return passed;
}

function matrixWords(matrix: Readonly<Record<string, string>>): Record<string, string> {
  const words = Object.entries(matrix).map(([key, value]) => [toWord(key), value]);
  return Object.fromEntries(words);
}

/** `node-version` → `MATRIX_NODE_VERSION`. */
function toWord(key: string): string {
  return `MATRIX_${key.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}
