/**
 * A clock that stands still until the test moves it. What sleeps on it wakes in the order of time, and each wake-up may
 * sleep again within the same {@link FakeClock.advance}.
 */
import type { Clock } from '../../src/runtime/clock.ts';

export interface FakeClock extends Clock {
  /** How many sleeps have not ended: a fact to wait for before time is moved. */
  readonly sleepers: number;
  /** Moves wall and monotonic time by `ms`; resolves when everything that woke has run until it waits again. */
  advance(ms: number): Promise<void>;
  /** Moves wall time alone, as when a person or a time server sets the machine's clock. May be negative. */
  jump(ms: number): void;
}

export interface FakeClockOptions {
  /** Wall time at the start, epoch milliseconds. */
  now?: number;
}

interface Sleeper {
  at: number;
  wake(): void;
}

/** The instant at which fake clocks start unless told otherwise: 2026-01-01T00:00:00Z. */
export const FAKE_NOW = 1_767_225_600_000;

/** Makes a clock that starts at `now`, with nothing asleep. */
export function createFakeClock({ now = FAKE_NOW }: FakeClockOptions = {}): FakeClock {
  let wall = now;
  let elapsed = 0;
  const sleepers = new Set<Sleeper>();

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper: Sleeper = {
        at: elapsed + Math.max(0, ms),
        wake: () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });

  const moveTo = (at: number): void => {
    wall += at - elapsed;
    elapsed = at;
  };

  return {
    now: () => wall,
    monotonic: () => elapsed,
    sleep,
    get sleepers() {
      return sleepers.size;
    },
    advance: async (ms) => {
      const target = elapsed + ms;
      await settle();
      for (let next = earliest(sleepers, target); next !== undefined; next = earliest(sleepers, target)) {
        moveTo(Math.max(elapsed, next.at));
        next.wake();
        await settle();
      }
      moveTo(target);
    },
    jump: (ms) => {
      wall += ms;
    },
  };
}

function earliest(sleepers: Iterable<Sleeper>, until: number): Sleeper | undefined {
  let first: Sleeper | undefined;
  for (const sleeper of sleepers)
    if (sleeper.at <= until && (first === undefined || sleeper.at < first.at)) first = sleeper;
  return first;
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
