/** What every command is given, and the shape of a command. */
import type { App } from '../app.ts';
import type { Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Options } from './options.ts';
import type { Ask } from './terminal/ask.ts';
import type { Output } from './terminal/output.ts';
import type { Signals } from './terminal/signals.ts';

export interface Context {
  app: App;
  clock: Clock;
  output: Output;
  signals: Signals;
  /** Asks the person at the terminal; null where there is none. */
  ask: Ask | null;
  /** Where planq was started; paths that are typed begin here. */
  cwd: string;
  /** The app's store; what is dubious about its Redis is told once. @throws PlanqError `redis_*`, `clock_skew` */
  store(): Promise<Store>;
}

/**
 * Parses what commander left, calls one verb, renders.
 * @returns the exit code
 * @throws PlanqError, which is shown, and whose exit code counts
 */
export type Command = (context: Context, args: readonly (string | undefined)[], options: Options) => Promise<number>;

export const EXIT = { ok: 0, failed: 1, planInvalid: 3, waiting: 9, interrupted: 130 } as const;
