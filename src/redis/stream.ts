/**
 * Reading the event stream: from a cursor, blocking, one reader per connection. What an entry means is for `events/`.
 */
import type { Redis } from 'ioredis';

export interface StreamEntry {
  id: string;
  fields: Record<string, string>;
}

type RawStream = [string, [string, string[]][]][] | null;

/** The id of the newest entry, `0-0` for an empty stream: read after it to get only what comes later. */
export async function lastEntryId(redis: Redis, stream: string): Promise<string> {
  const entries = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  return entries[0]?.[0] ?? '0-0';
}

/**
 * Entries after `cursor`, waiting up to `blockMs` for the first.
 * @returns an empty list when nothing came in that time
 */
export async function readEntries(
  redis: Redis,
  stream: string,
  cursor: string,
  blockMs: number,
): Promise<StreamEntry[]> {
  const raw = (await redis.xread('COUNT', 500, 'BLOCK', blockMs, 'STREAMS', stream, cursor)) as RawStream;
  return (raw?.[0]?.[1] ?? []).map(([id, values]) => ({ id, fields: toFields(values) }));
}

function toFields(values: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < values.length; at += 2) fields[values[at]!] = values[at + 1]!;
  return fields;
}

const PAGE = 1000;

/** Entries from an id (or a time in ms) on, a page at a time, up to the newest. */
export async function* readRange(redis: Redis, stream: string, from: string): AsyncGenerator<StreamEntry, void, void> {
  for (let start = from; ; ) {
    const page = await redis.xrange(stream, start, '+', 'COUNT', PAGE);
    for (const [id, values] of page) yield { id, fields: toFields(values) };
    if (page.length < PAGE) return;
    start = `(${page.at(-1)![0]}`;
  }
}

/** The id of the oldest entry that is still there; null of an empty stream. */
export async function firstEntryId(redis: Redis, stream: string): Promise<string | null> {
  const entries = await redis.xrange(stream, '-', '+', 'COUNT', 1);
  return entries[0]?.[0] ?? null;
}

/** Whether entry `id` came after `other`; ids are `<ms>-<number>`. */
export function isAfter(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && number > otherNumber);
}
