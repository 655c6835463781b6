/**
 * Keeps a worker calm while Redis refuses (full memory, full disk, a replica): BullMQ fetches again without a delay after
 * such an answer, thousands of times a second. Here the same complaint is told once a minute with its count, and after
 * five in a second fetching stops for two seconds, so that work goes on well within five once Redis takes it again. A lost
 * connection, and the locks lost with it, are told of but no reason to rest: a connection waits between its tries by itself,
 * and work is to go on as soon as one of them succeeds.
 */
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';

const TELL_EVERY_MS = 60_000;
const STORM_COUNT = 5;
const STORM_WINDOW_MS = 1000;
const REST_MS = 2000;

export interface CalmOptions {
  clock: Clock;
  warn(message: string, facts?: Record<string, unknown>): void;
  /** Stops fetching; called once per storm. */
  rest(): Promise<void>;
  /** Fetches again. */
  resume(): Promise<void>;
}

export interface Calm {
  /** Takes note of one error. Never throws. */
  note(error: unknown): void;
  /** Tells the same at most once a minute, with how often it was to be told in between. */
  tell(message: string, facts?: Record<string, unknown>): void;
  /** Ends a rest that is under way, without resuming. */
  stop(): void;
}

/** Makes the keeper of one worker process. */
export function createCalm(options: CalmOptions): Calm {
  const { clock } = options;
  const told = new Map<string, { at: number; since: number }>();
  const controller = new AbortController();
  let recent: number[] = [];
  let resting = false;
  const tell = (message: string, facts: Record<string, unknown> = {}): void => {
    // Which of the scripts was refused does not make it another complaint.
    const key = message.replace(/ script: [0-9a-f]+, on @.*/, '').replaceAll(/\d+/g, '#');
    const last = told.get(key);
    if (last !== undefined && clock.monotonic() - last.at < TELL_EVERY_MS) {
      last.since++;
      return;
    }
    options.warn(message, last === undefined || last.since === 0 ? facts : { ...facts, repeated: last.since });
    told.set(key, { at: clock.monotonic(), since: 0 });
  };
  const rest = async (): Promise<void> => {
    resting = true;
    await options.rest();
    await clock.sleep(REST_MS, controller.signal);
    resting = false;
    recent = [];
    if (!controller.signal.aborted) await options.resume();
  };
  return {
    tell,
    note: (error) => {
      tell(errorMessage(error));
      if (!isRefusal(error)) return;
      const now = clock.monotonic();
      recent = [...recent.filter((at) => now - at < STORM_WINDOW_MS), now];
      if (recent.length < STORM_COUNT || resting || controller.signal.aborted) return;
      tell(`Redis keeps refusing; fetching again in ${REST_MS / 1000} s`);
      void rest().catch((error: unknown) => tell(errorMessage(error)));
    },
    stop: () => controller.abort(),
  };
}

/** An answer of the server begins with its code word: OOM, MISCONF, READONLY. What we and our libraries say does not. */
function isRefusal(error: unknown): boolean {
  return /^[A-Z]{3,}\b/.test(errorMessage(error));
}
