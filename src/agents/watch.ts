/**
 * Watches one attempt until it ends by itself or must be ended. Decides, and stops nothing.
 *
 *   sign of life: log grew · file changed · processor time · bytes read or written
 *   quiet for zombieMs / 2 → warning      quiet for zombieMs → zombie
 *   80 % of timeoutMs      → warning      timeoutMs          → timeout
 *   more memory than its limit                               → over
 */
import type { Clock } from '../runtime/clock.ts';
import { formatDuration } from '../runtime/duration.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Invocation, StopReason } from './agent.ts';
import type { Signs } from './signs.ts';
import type { Exit } from './spawn.ts';
import type { Tail } from './tail.ts';

export type Verdict =
  | { kind: 'exited'; exit: Exit }
  | { kind: 'timeout' }
  | { kind: 'zombie' }
  | { kind: 'over'; reason: string }
  | { kind: 'stopped'; reason: StopReason };

export interface WatchOptions {
  invocation: Pick<Invocation, 'timeoutMs' | 'zombieMs' | 'signal' | 'report'>;
  exited: Promise<Exit>;
  tail: Pick<Tail, 'poll'>;
  signs: Pick<Signs, 'look'>;
  /** Says why the attempt uses more than it may; undefined while it does not. */
  excess?(): string | undefined;
  clock: Clock;
}

/** How often to look, in milliseconds: often enough for short limits in tests, seldom enough for hours. */
export interface Pace {
  /** At the log and the clock. */
  tickMs: number;
  /** At files and processes, which costs more. */
  signsMs: number;
}

/** A twentieth of the nearer limit, but 20 ms to 250 ms for the log and 20 ms to 2 s for the rest. */
export function paceOf(limits: { timeoutMs: number; zombieMs: number }): Pace {
  const twentieth = Math.min(limits.timeoutMs, limits.zombieMs) / 20;
  const within = (most: number): number => Math.min(most, Math.max(20, twentieth));
  return { tickMs: within(250), signsMs: within(2000) };
}

/** Resolves when the process has ended, a limit is reached, or the signal aborts. An end that has happened comes first. */
export async function watch(options: WatchOptions): Promise<Verdict> {
  const wake = new AbortController();
  let exit: Exit | undefined;
  options.exited.then((value) => {
    exit = value;
    wake.abort();
  });
  const { signal } = options.invocation;
  const stop = (): void => wake.abort();
  signal.addEventListener('abort', stop, { once: true });
  const watcher = new Watcher(options);
  try {
    for (;;) {
      if (exit !== undefined) return { kind: 'exited', exit };
      if (signal.aborted) return { kind: 'stopped', reason: signal.reason as StopReason };
      const verdict = await watcher.look();
      if (verdict !== undefined && exit === undefined) return verdict;
      await options.clock.sleep(watcher.pace.tickMs, wake.signal);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

class Watcher {
  readonly pace: Pace;
  readonly #options: WatchOptions;
  readonly #startedAt: number;
  #lifeAt: number;
  #signsAt: number;
  #hasWarnedOfTimeout = false;
  #hasWarnedOfQuiet = false;
  #hasWarnedOfLog = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.pace = paceOf(options.invocation);
    this.#startedAt = options.clock.monotonic();
    this.#lifeAt = this.#startedAt;
    this.#signsAt = this.#startedAt;
  }

  async look(): Promise<Verdict | undefined> {
    if ((await this.#hasLogGrown()) || (await this.#hasSign())) this.#live();
    return this.#checkExcess() ?? this.#checkTimeout() ?? this.#checkQuiet();
  }

  #live(): void {
    this.#lifeAt = this.#options.clock.monotonic();
    this.#hasWarnedOfQuiet = false;
  }

  async #hasLogGrown(): Promise<boolean> {
    try {
      return await this.#options.tail.poll();
    } catch (error) {
      // A full disk or a log that was taken away: the agent may still do its work.
      if (!this.#hasWarnedOfLog) this.#warn(`cannot follow the log: ${errorMessage(error)}`);
      this.#hasWarnedOfLog = true;
      return false;
    }
  }

  async #hasSign(): Promise<boolean> {
    const now = this.#options.clock.monotonic();
    if (now - this.#signsAt < this.pace.signsMs) return false;
    this.#signsAt = now;
    return this.#options.signs.look(now - this.#lifeAt);
  }

  #checkExcess(): Verdict | undefined {
    const reason = this.#options.excess?.();
    return reason === undefined ? undefined : { kind: 'over', reason };
  }

  #checkTimeout(): Verdict | undefined {
    const { timeoutMs } = this.#options.invocation;
    const spent = this.#options.clock.monotonic() - this.#startedAt;
    // First the warning, though a busy machine may let us look only when the time is up.
    if (spent >= timeoutMs * 0.8 && !this.#hasWarnedOfTimeout) {
      this.#hasWarnedOfTimeout = true;
      this.#warn(`80 % of the timeout of ${formatDuration(timeoutMs)} is used`);
    }
    if (spent >= timeoutMs) return { kind: 'timeout' };
    return undefined;
  }

  #checkQuiet(): Verdict | undefined {
    const { zombieMs } = this.#options.invocation;
    const quiet = this.#options.clock.monotonic() - this.#lifeAt;
    if (quiet >= zombieMs) return { kind: 'zombie' };
    if (quiet >= zombieMs / 2 && !this.#hasWarnedOfQuiet) {
      this.#hasWarnedOfQuiet = true;
      this.#warn(`no progress for ${formatDuration(quiet)}; stopped after ${formatDuration(zombieMs)}`);
    }
    return undefined;
  }

  #warn(message: string): void {
    this.#options.invocation.report({ kind: 'warning', message });
  }
}
