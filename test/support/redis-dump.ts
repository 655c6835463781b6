/** Everything that a Redis holds, as text: for tests that look for what must not be there. */
import type { Redis } from 'ioredis';

/** Keys with their values, whatever their type. @throws for a type that it cannot read */
export async function dumpRedis(redis: Redis): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const key of await redis.keys('*')) found.set(key, JSON.stringify(await readKey(redis, key)));
  return found;
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`cannot read ${key}: ${type}`);
  }
}
