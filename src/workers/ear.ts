/**
 * The worker's ear on the stream of calls, a few of the events: a cancel stops agents at once, a new plan may name a new
 * master. Nothing depends on it: what it misses, the next heartbeat and the next look at the masters bring.
 */
import type { Store } from '../producer/store.ts';
import type { Connection } from '../redis/connection.ts';
import { lastEntryId, readEntries } from '../redis/stream.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Service } from '../runtime/service.ts';

const BLOCK_MS = 5000;
const RETRY_MS = 1000;

export interface EarOptions {
  clock: Clock;
  onCancel(run: string): void;
  onPlans(): Promise<void>;
  onError(error: unknown): void;
}

/** Makes the service; `start` takes a connection of its own. Errors go to `onError`, and it listens on. */
export function createEar(store: Store, options: EarOptions): Service {
  const controller = new AbortController();
  let redis: Connection | undefined;
  let loop: Promise<void> = Promise.resolve();
  const listen = async (connection: Connection): Promise<void> => {
    let cursor: string | undefined;
    while (!controller.signal.aborted) {
      try {
        cursor ??= await lastEntryId(store.redis, store.keys.calls);
        for (const entry of await readEntries(connection, store.keys.calls, cursor, BLOCK_MS)) {
          cursor = entry.id;
          const { type, run = '' } = entry.fields;
          if (type === 'run-cancelling') options.onCancel(run);
          if (type === 'run-submitted' || type === 'run-resumed') await options.onPlans();
        }
      } catch (error) {
        if (controller.signal.aborted) return;
        options.onError(error);
        await options.clock.sleep(RETRY_MS, controller.signal);
      }
    }
  };
  return {
    start: async () => {
      redis = store.connect();
      loop = listen(redis);
    },
    stop: async () => {
      controller.abort();
      redis?.disconnect();
      await loop;
    },
  };
}
