/**
 * What planq may ask of the Redis user that it is. A user with a name was made for planq, and is asked for no right that
 * docs/redis.md does not give.
 */
import type { Redis } from 'ioredis';

/** Whether keys may be listed: it takes a right over all keys of the server. */
export function mayListKeys({ options }: Redis): boolean {
  return ['', 'default'].includes(options.username ?? '');
}
