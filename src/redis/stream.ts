/**
 * Reading the event stream: from a cursor, blocking, one reader per connection. What an entry means is for `events/`.
 */
import type { Redis } from 'ioredis';

export interface StreamEntry {
  id: string;
  fields: Record<string, string>;
}

type RawEntry = [id: string, values: string[]];
type RawStream = [string, RawEntry[]][] | null;

/** The id of the newest event, `0-0` for an empty stream: read after it to get only what comes later. */
export async function lastEntryId(redis: Redis, stream: string): Promise<string> {
  const entries = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  return entries[0]?.[0] ?? '0-0';
}

/**
 * Events after `cursor`, waiting up to `blockMs` for the first.
 * @returns an empty list when nothing came in that time
 */
export async function readEntries(
  redis: Redis,
  stream: string,
  cursor: string,
  blockMs: number,
): Promise<StreamEntry[]> {
  const raw = (await redis.xread('COUNT', 500, 'BLOCK', blockMs, 'STREAMS', stream, cursor)) as RawStream;
  const events = (raw?.[0]?.[1] ?? []).flatMap(splitEntry);
  return cursor === '$' ? events : events.filter(({ id }) => isAfter(id, cursor));
}

/**
 * The events of one entry of a stream, oldest first: one a line, the entry's id is that of the last, and those before it
 * have the numbers before that. The scripts' `write_events` wrote it.
 */
export function splitEntry([id, [, text = '']]: RawEntry): StreamEntry[] {
  const lines = text.split('\n');
  const [ms = '', last = ''] = id.split('-');
  return lines.map((line, at) => ({
    id: `${ms}-${Number(last) - lines.length + 1 + at}`,
    fields: toFields(line),
  }));
}

/** Run, type, and then names and values in turns. */
function toFields(line: string): Record<string, string> {
  const [run = '', type = '', ...facts] = line.split('\t');
  const fields: Record<string, string> = { run, type };
  for (let at = 0; at + 1 < facts.length; at += 2) fields[facts[at]!] = facts[at + 1]!;
  return fields;
}

const PAGE = 1000;

/** Events from a time in ms on, or after an id, a page at a time, up to the newest. */
export async function* readRange(
  redis: Redis,
  stream: string,
  from: { since: number } | { after: string },
): AsyncGenerator<StreamEntry, void, void> {
  const [first, after] = 'after' in from ? [`(${from.after}`, from.after] : [String(from.since), '0-0'];
  for (let start = first; ; ) {
    const page = await redis.xrange(stream, start, '+', 'COUNT', PAGE);
    for (const entry of page) yield* splitEntry(entry).filter(({ id }) => isAfter(id, after));
    if (page.length < PAGE) return;
    start = `(${page.at(-1)![0]}`;
  }
}

/** The id of the oldest event that is still there; null of an empty stream. */
export async function firstEntryId(redis: Redis, stream: string): Promise<string | null> {
  const entries = await redis.xrange(stream, '-', '+', 'COUNT', 1);
  return entries[0] === undefined ? null : splitEntry(entries[0])[0]!.id;
}

/** Whether event `id` came after `other`; ids are `<ms>-<number>`. */
export function isAfter(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && number > otherNumber);
}
