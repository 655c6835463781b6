/** The events of all runs as they come, for a worker's log. */
import { parseEvent } from '../events/codec.ts';
import type { Event } from '../events/event.ts';
import type { Store } from '../producer/store.ts';
import { readEntries } from '../redis/stream.ts';

const BLOCK_MS = 5000;

/** Yields events after `cursor` until the signal aborts. */
export async function* followAll(store: Store, cursor: string, signal: AbortSignal): AsyncGenerator<Event, void, void> {
  const redis = store.connect();
  const stop = (): void => redis.disconnect();
  signal.addEventListener('abort', stop, { once: true });
  let after = cursor;
  try {
    while (!signal.aborted) {
      for (const entry of await readEntries(redis, store.keys.events, after, BLOCK_MS)) {
        after = entry.id;
        yield parseEvent(entry.id, entry.fields);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    redis.disconnect();
  }
}
