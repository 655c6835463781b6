/**
 * What every part of a worker shares. Made once by the pool.
 */
import type { Agent } from '../agents/agent.ts';
import type { Guardian } from '../agents/guardian.ts';
import type { Isolation } from '../agents/namespace.ts';
import type { WorkerMark } from '../agents/worker-mark.ts';
import type { Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
import type { Random } from '../runtime/random.ts';
import type { Secrets } from '../runtime/secrets.ts';
import type { Holdings } from './holdings.ts';
import type { Slots } from './slots.ts';

/** What a worker is made of. */
export interface WorkerParts {
  store: Store;
  config: Config;
  clock: Clock;
  random: Random;
  agents: ReadonlyMap<string, Agent>;
  /** Environment that agents get a part of. */
  env: Readonly<Record<string, string | undefined>>;
  /** Called at named points of a task's way; a test can end the process there. Does nothing in production. */
  hook(point: CrashPoint): void;
  /** For what needs an operator; one line each. */
  warn(message: string, facts?: Record<string, unknown>): void;
  /** For whoever looks for a mistake; shown on demand only. */
  debug?(message: string): void;
}

/** What every step sees. */
export interface WorkerContext extends WorkerParts {
  /** `<host>-<pid>-<random>`, unique over all machines and time. */
  workerId: string;
  /** Carried by every agent of this worker. */
  mark: WorkerMark;
  /** Where agents live; settled when the worker starts. */
  isolation: Isolation;
  holdings: Holdings;
  guardian: Guardian;
  slots: Slots;
  /** What this worker must not tell. */
  secrets: Secrets;
  /** Takes note of an error of Redis; told once a minute, and calms the fetching. */
  complain(error: unknown): void;
  /** The same message at most once a minute. */
  tell(message: string, facts?: Record<string, unknown>): void;
  /** True from the moment this worker was told to end: nothing new is begun. */
  isQuiet(): boolean;
}

/** Where a crash is hardest to survive. */
export type CrashPoint = 'claimed' | 'spawned' | 'verified' | 'settled' | 'enqueued' | 'ended' | 'undone';
