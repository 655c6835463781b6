/** Where a follower begins. */
import type { Store } from '../producer/store.ts';
import { lastEntryId } from '../redis/stream.ts';

/**
 * The newest event's id. Take it before the record is read: what happens between the two is then told twice rather than
 * not at all.
 */
export async function newestCursor(store: Store): Promise<string> {
  return lastEntryId(store.redis, store.keys.events);
}
