/**
 * Configuration: read once, checked whole, frozen. Sources, the later wins: the defaults below, `planq.config.json` in
 * the project folder, environment variables, what the command line says. This is the one file that knows which
 * environment variables planq reads.
 */
import path from 'node:path';
import { type ConfigReader, createConfigReader } from './config-reader.ts';
import { formatDuration } from './duration.ts';
import { errorMessage } from './errors.ts';
import { type NotifyEntry, readNotify } from './notify-config.ts';
import { readTextAtMost } from './open-inside.ts';
import type { Problem } from './problem.ts';
import { err, ok, type Result } from './result.ts';

export interface Config {
  /** Folder of the project: working directory of agents, home of `.planq/` and the workspace. Default: where planq is started. */
  projectDir: string;
  /** `redis://`, `rediss://` or an absolute socket path (REDIS_URL); null = planq's own private server. */
  redisUrl: string | null;
  /** First part of every key in Redis (PLANQ_PREFIX). Default `planq`. */
  prefix: string;
  /** Accept a Redis that may lose what it acknowledged (`--volatile`). Default false. */
  volatile: boolean;
  /** Root of a run's files, relative to the project. Default `workspace`. */
  workspace: string;
  /** Agent for tasks that name none; null = such a task is a mistake. */
  agent: string | null;
  limits: {
    /** Agents at once over all workers. Default 10. */
    agents: number;
    /** Tasks at once per phase and run. */
    phases: Record<string, number>;
    /** Tasks at once per master over all runs; a master without an entry is not limited. */
    masters: Record<string, number>;
    /** Resources that tasks can take: name → capacity over all runs. */
    resources: Record<string, number>;
    /** Processors of an agent whose task names none. Default 4. */
    cpusPerAgent: number;
    /** Bytes of memory of an agent whose task names none. Default 8 GB. */
    memoryPerAgent: number;
  };
  /**
   * Whether each agent gets a PID namespace of its own. `auto`: where the system allows it. `namespace`: a worker that
   * cannot have it does not start. `none`: never. Default `auto`.
   */
  isolation: (typeof ISOLATION_WORDS)[number];
  /** Tasks at once in one worker process. Default 10. */
  concurrency: number;
  /** How many replicas of Redis must have a submitted run before it is acknowledged without a warning. Default 0. */
  replicas: number;
  /**
   * Whether all of BullMQ's own events are written, for what listens with its `QueueEvents`. Default false: planq has its
   * own, and only what BullMQ's scripts do is in BullMQ's.
   */
  queueEvents: boolean;
  /** Environment variables that agents see besides the allow-list. */
  passEnv: string[];
  keep: KeepRules;
  /** Who is told when a run blocks, ends or wants an approval. Default nobody. */
  notify: NotifyEntry[];
  /** Environment variables that plans may set although they are refused by default. */
  planEnv: string[];
  /** Secrets that come from a file instead of the worker's environment: name → file, from the project folder. */
  secretFiles: Record<string, string>;
  times: Times;
}

/** How long ended runs stay in Redis. Null = for ever, any number. Files stay whatever the rules say. */
export interface KeepRules {
  /** Milliseconds after the end. Default 30 days. */
  completedMs: number | null;
  /** Default 90 days. */
  failedMs: number | null;
  /** Default 30 days. */
  cancelledMs: number | null;
  /** Most ended runs in all; the oldest go first. Default 10,000. */
  runs: number | null;
}

/** What `isolation` may be. */
export const ISOLATION_WORDS = ['auto', 'namespace', 'none'] as const;

/** Milliseconds. `lock` scales the first four when it is set alone. */
export interface Times {
  /** BullMQ's lock on a job and the record's lease on a task. Default 30 s. */
  lockMs: number;
  /** How often BullMQ looks for jobs whose worker is gone. Default half the lock. */
  stalledMs: number;
  /** By how much the guardian stops an agent before its lease ends. Default a fifth of the lock. */
  guardianMarginMs: number;
  /** How often the sweeper looks for what nobody looks after. Default a sixth of the lock. */
  sweepMs: number;
  /** From TERM to KILL. Default 10 s. */
  graceMs: number;
  /** How long a worker that was told to end waits for its tasks before it hands them back. Default 20 s. */
  drainMs: number;
  /** No sign of progress for so long = zombie. Default 20 min. */
  zombieMs: number;
  /** First wait before another attempt; doubles, at most 30 s, ±25 %. Default 1 s. */
  backoffMs: number;
}

export const DEFAULT_PHASE_LIMITS: Readonly<Record<string, number>> = Object.freeze({
  analysis: 6,
  planning: 3,
  implementation: 10,
  validation: 2,
  optimization: 5,
});

const CONFIG_FILE = 'planq.config.json';
const MAX_CONFIG_BYTES = 1024 * 1024;

export interface ConfigOverrides {
  projectDir?: string;
  workspace?: string;
  volatile?: boolean;
  concurrency?: number;
}

/** Resolves the configuration. @returns every mistake at once, each with the file or variable it stands in */
export async function loadConfig(
  env: NodeJS.ProcessEnv,
  overrides: ConfigOverrides,
  cwd: string,
): Promise<Result<Config, Problem[]>> {
  const projectDir = path.resolve(cwd, overrides.projectDir ?? env.PLANQ_PROJECT ?? '.');
  const problems: Problem[] = [];
  const file = readConfigFile(path.join(projectDir, CONFIG_FILE), problems);
  const reader = createConfigReader(file, path.join(projectDir, CONFIG_FILE), problems);
  const lockMs = readLockMs(env, reader, problems);
  const config: Config = {
    projectDir,
    redisUrl: env.REDIS_URL || reader.text('redis') || null,
    prefix: env.PLANQ_PREFIX || reader.text('prefix') || 'planq',
    volatile: overrides.volatile ?? reader.flag('volatile') ?? false,
    workspace: overrides.workspace ?? reader.text('workspace') ?? 'workspace',
    agent: reader.text('agent') ?? null,
    limits: {
      agents: reader.count('limits.agents') ?? 10,
      phases: { ...DEFAULT_PHASE_LIMITS, ...reader.counts('limits.phases') },
      masters: reader.counts('limits.masters'),
      resources: reader.counts('limits.resources'),
      cpusPerAgent: reader.amount('limits.cpusPerAgent') ?? 4,
      memoryPerAgent: reader.size('limits.memoryPerAgent') ?? 8_000_000_000,
    },
    isolation: reader.word('isolation', ISOLATION_WORDS) ?? 'auto',
    concurrency: overrides.concurrency ?? reader.count('concurrency') ?? 10,
    replicas: reader.count('replicas') ?? 0,
    queueEvents: reader.flag('queueEvents') ?? false,
    passEnv: reader.words('passEnv'),
    keep: readKeep(reader),
    notify: readNotify(
      Object.hasOwn(file, 'notify') ? file.notify : undefined,
      path.join(projectDir, CONFIG_FILE),
      problems,
    ),
    planEnv: reader.words('planEnv'),
    secretFiles: reader.texts('secretFiles'),
    times: {
      lockMs,
      stalledMs: Math.max(50, Math.round(lockMs / 2)),
      guardianMarginMs: Math.round(lockMs / 5),
      sweepMs: Math.max(50, Math.round(lockMs / 6)),
      graceMs: reader.duration('times.grace') ?? 10_000,
      drainMs: reader.duration('times.drain') ?? 20_000,
      zombieMs: reader.duration('times.zombie') ?? 20 * 60_000,
      backoffMs: reader.duration('times.backoff') ?? 1000,
    },
  };
  if (!/^[A-Za-z0-9_-]{1,50}$/.test(config.prefix)) {
    problems.push({
      code: 'bad-value',
      severity: 'error',
      message: `prefix "${config.prefix}" may have letters, digits, "-" and "_" only`,
    });
  }
  if (config.redisUrl !== null && !isRedisAddress(config.redisUrl)) {
    // The address itself may hold a password, so it is not shown.
    problems.push({
      code: 'bad-value',
      severity: 'error',
      message: `${env.REDIS_URL ? 'REDIS_URL' : '"redis"'} must be redis://…, rediss://… or the absolute path of a unix socket; characters such as "/", "#" and "@" in a password must be percent-encoded`,
    });
  }
  if (config.times.lockMs < 200)
    problems.push({ code: 'bad-value', severity: 'error', message: '"times.lock" must be 200ms or more' });
  if (!Number.isSafeInteger(config.concurrency) || config.concurrency < 1) {
    problems.push({
      code: 'bad-value',
      severity: 'error',
      message: `concurrency ${config.concurrency} is not a whole number, 1 or more`,
    });
  }
  reader.refuseUnknown();
  return problems.length > 0 ? err(problems) : ok(deepFreeze(config));
}

const DAY_MS = 86_400_000;

/** Each rule may be switched off alone, or all with `"keep": "off"`. */
function readKeep(reader: ConfigReader): KeepRules {
  const rule = (key: string, value: number | null | undefined, standard: number): number | null =>
    reader.isOff('keep') || reader.isOff(key) ? null : (value ?? standard);
  const age = (key: string, days: number): number | null => rule(key, reader.duration(key), days * DAY_MS);
  return {
    completedMs: age('keep.completed', 30),
    failedMs: age('keep.failed', 90),
    cancelledMs: age('keep.cancelled', 30),
    runs: rule('keep.runs', reader.count('keep.runs'), 10_000),
  };
}

/** `completed 30 days, failed for ever, …`. */
export function describeKeep({ completedMs, failedMs, cancelledMs, runs }: KeepRules): string {
  const age = (ms: number | null): string => (ms === null ? 'for ever' : `for ${days(ms)}`);
  const most = runs === null ? 'any number' : `at most ${runs}`;
  return `completed ${age(completedMs)}, failed ${age(failedMs)}, cancelled ${age(cancelledMs)}, ${most}`;
}

function days(ms: number): string {
  const whole = ms / DAY_MS;
  if (!Number.isInteger(whole)) return formatDuration(ms);
  return `${whole} ${whole === 1 ? 'day' : 'days'}`;
}

function isRedisAddress(url: string): boolean {
  if (url.startsWith('/')) return true;
  return URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol);
}

function readLockMs(env: NodeJS.ProcessEnv, reader: ConfigReader, problems: Problem[]): number {
  const fromEnv = env.PLANQ_LOCK_MS;
  if (fromEnv === undefined || fromEnv === '') return reader.duration('times.lock') ?? 30_000;
  const value = Number(fromEnv);
  if (Number.isInteger(value) && value >= 200) return value;
  problems.push({
    code: 'bad-value',
    severity: 'error',
    message: `PLANQ_LOCK_MS "${fromEnv}" is not a whole number of milliseconds, 200 or more`,
  });
  return 30_000;
}

function readConfigFile(file: string, problems: Problem[]): Record<string, unknown> {
  let text: string;
  try {
    text = readTextAtMost(file, MAX_CONFIG_BYTES);
  } catch (error) {
    // No config file: the defaults are meant to do.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    problems.push({
      code: 'unreadable',
      severity: 'error',
      message: `cannot read the config: ${errorMessage(error)}`,
      file,
    });
    return {};
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    problems.push({ code: 'bad-value', severity: 'error', message: 'the config must be a JSON object', file });
  } catch (error) {
    problems.push({
      code: 'bad-json',
      severity: 'error',
      message: error instanceof Error ? error.message : String(error),
      file,
    });
  }
  return {};
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
