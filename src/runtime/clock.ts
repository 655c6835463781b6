/**
 * The one file that reads the system's time. Everything else is given a {@link Clock}, so that tests can move it.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Wall time, epoch milliseconds: for what is stored and shown. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary start: for what is measured. */
  monotonic(): number;
  /** Resolves after `ms`; resolves early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    if (signal?.aborted) return;
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
    }
  },
};

/** Milliseconds of the machine's monotonic clock, which is one for all of its processes: to compare what they wrote down. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Epoch milliseconds → ISO 8601 UTC with milliseconds, the only form in which times leave the program. */
export function toIso(at: number): string {
  return new Date(at).toISOString();
}

/** As {@link toIso}, with null for "not yet". */
export function toIsoOrNull(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : toIso(at);
}
