/**
 * A run's events as they come. Each follower has its own connection and its own cursor; nobody takes anything from
 * another.
 */
import { parseEvent } from '../events/codec.ts';
import type { Event } from '../events/event.ts';
import type { Store } from '../producer/store.ts';
import { readEntries } from '../redis/stream.ts';

const BLOCK_MS = 2000;

export interface FollowOptions {
  /** Stream id to read after; `0-0` for everything that is still there, `$` is not accepted. */
  after: string;
  signal: AbortSignal;
  /** Called when nothing came for a while, so that the caller can look at the record. */
  onQuiet?(): Promise<void> | void;
}

/** Yields the events of one run until the signal aborts, and of masters that nobody serves. */
export async function* followRun(store: Store, run: string, options: FollowOptions): AsyncGenerator<Event, void, void> {
  const redis = store.connect();
  const stop = (): void => redis.disconnect();
  options.signal.addEventListener('abort', stop, { once: true });
  let cursor = options.after;
  try {
    while (!options.signal.aborted) {
      const entries = await readEntries(redis, store.keys.events, cursor, BLOCK_MS);
      if (entries.length === 0) await options.onQuiet?.();
      for (const entry of entries) {
        cursor = entry.id;
        if (entry.fields.run === run || entry.fields.type === 'no-worker') yield parseEvent(entry.id, entry.fields);
      }
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    options.signal.removeEventListener('abort', stop);
    redis.disconnect();
  }
}
