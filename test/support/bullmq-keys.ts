/** What BullMQ's queues of an app hold, in a form in which two of them can be compared. */
import type { TestApp } from './app.ts';

/** Fields that are moments, and a queue's own counter of ids, which nobody asks for when jobs bring their ids. */
const MOMENTS = new Set(['timestamp', 'processedOn', 'finishedOn']);

/** Key without the prefix → content; run ids are `RUN`, moments and stream ids are left out. Locks are named, not their rest. */
export async function readQueues({ store }: TestApp, run: string): Promise<Record<string, unknown>> {
  const { base } = store.keys;
  const plain = (text: string): string => text.replaceAll(base, 'BASE').replaceAll(run, 'RUN');
  const found: Record<string, unknown> = {};
  for (const key of (await store.redis.keys(`${base}:*`)).sort()) {
    const name = plain(key);
    if (!/^BASE:(master-|runs:)/.test(name) || /:(id|pc|stalled-check)$/.test(name)) continue;
    found[name] = await readKey(store.redis, key, plain);
  }
  return found;
}

async function readKey(redis: TestApp['store']['redis'], key: string, plain: (text: string) => string) {
  switch (await redis.type(key)) {
    case 'hash': {
      const entries = Object.entries(await redis.hgetall(key)).map(([field, value]) => [
        plain(field),
        MOMENTS.has(field) ? 'moment' : sortJson(plain(value)),
      ]);
      return Object.fromEntries(entries.sort());
    }
    case 'zset':
      return /:(completed|marker|waiting-children)$/.test(key)
        ? (await redis.zrange(key, '0', '-1')).map(plain).sort()
        : (await redis.zrange(key, '0', '-1', 'WITHSCORES')).map(plain);
    case 'list':
      return (await redis.lrange(key, 0, -1)).map(plain);
    case 'set':
      return (await redis.smembers(key)).map(plain).sort();
    case 'stream':
      return (await redis.xrange(key, '-', '+')).map(([, fields]) => fields.map(plain).join(' ')).sort();
    default:
      return plain((await redis.get(key)) ?? '');
  }
}

function sortJson(text: string): string {
  if (!text.startsWith('{')) return text;
  const sorted = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort()
            .map(([name, part]) => [name, sorted(part)]),
        )
      : value;
  return JSON.stringify(sorted(JSON.parse(text)));
}
