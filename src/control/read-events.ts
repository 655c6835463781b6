/** What the event stream still has of a run. */
import { parseEvent } from '../events/codec.ts';
import type { Event } from '../events/event.ts';
import type { Store } from '../producer/store.ts';
import { readRange } from '../redis/stream.ts';

/** Oldest first. The stream keeps at least the last 50,000 events of all runs. @param since epoch ms; nothing of the run is older */
export async function readEvents(store: Store, run: string, since: number): Promise<Event[]> {
  const events: Event[] = [];
  for await (const entry of readRange(store.redis, store.keys.events, { since }))
    if (entry.fields.run === run) events.push(parseEvent(entry.id, entry.fields));
  return events;
}
