/** What the sweep has told of: its repairs and the masters that nobody serves. */
import { parseEvent } from '../../src/events/codec.ts';
import type { Event } from '../../src/events/event.ts';
import { readRange } from '../../src/redis/stream.ts';
import type { TestApp } from './app.ts';

/** Every event of one type so far. */
export async function eventsOf<T extends Event['type']>(app: TestApp, type: T): Promise<Extract<Event, { type: T }>[]> {
  const found: Event[] = [];
  for await (const entry of readRange(app.store.redis, app.store.keys.events, { since: 0 }))
    if (entry.fields.type === type) found.push(parseEvent(entry.id, entry.fields));
  return found as Extract<Event, { type: T }>[];
}

/** `<what> <task index or name>` of every repair, in order. */
export async function repairsOf(app: TestApp): Promise<string[]> {
  return (await eventsOf(app, 'repaired')).map(({ what, index, name }) => [what, index ?? name].join(' '));
}
