import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { checkServer, createConnection, describeTarget, openConnection } from '../../src/redis/connection.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createFakeClock } from '../support/clock.ts';
import { startRedisServer } from '../support/redis-server.ts';

async function connect(url: string) {
  const redis = await openConnection({ url });
  onTestFinished(() => redis.disconnect());
  return redis;
}

test('a server that keeps what it acknowledges is accepted', async () => {
  const check = await checkServer(await connect(inject('redisUrl')), systemClock, { volatile: false });
  expect(check).toMatchObject({ appendOnly: true, evictionPolicy: 'noeviction', warnings: [] });
  expect(check.server).toMatch(/^(redis|valkey) \d+\./);
});

test('a server that may lose runs is refused, unless that is wanted', async () => {
  const server = await startRedisServer([
    ['appendonly', 'no'],
    ['maxmemory-policy', 'allkeys-lru'],
  ]);
  onTestFinished(server.stop);
  const redis = await connect(server.socket);
  await expect(checkServer(redis, systemClock, { volatile: false })).rejects.toMatchObject({
    code: 'redis_unsafe',
    message: expect.stringMatching(/append-only.*allkeys-lru/),
    hint: expect.stringContaining('--volatile'),
  });
  const check = await checkServer(redis, systemClock, { volatile: true });
  expect(check.warnings).toHaveLength(1);
});

test('a clock that differs by more than two seconds is refused', async () => {
  const redis = await connect(inject('redisUrl'));
  await expect(
    checkServer(redis, createFakeClock({ now: Date.now() + 5000 }), { volatile: false }),
  ).rejects.toMatchObject({ code: 'clock_skew' });
  const check = await checkServer(redis, createFakeClock({ now: Date.now() - 1000 }), { volatile: false });
  expect(check.warnings).toEqual([expect.stringContaining('clock differs')]);
});

test('an address where nobody answers is one sentence, at once', async () => {
  await expect(openConnection({ url: path.join('/nonexistent', 'redis.sock') })).rejects.toMatchObject({
    code: 'redis_unreachable',
  });
  await expect(openConnection({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'redis_unreachable',
    hint: expect.stringContaining('REDIS_URL'),
  });
});

test('an address is shown without its password', () => {
  expect(describeTarget({ url: 'redis://user:secret@example.com:6380/2' })).toBe('redis://example.com:6380/2');
  expect(describeTarget({ url: 'not an address' })).toBe('the configured address');
});

test('a connection without a server does not end the process', async () => {
  const redis = createConnection({ url: 'redis://127.0.0.1:1' }, { retryStrategy: () => null });
  await expect(redis.connect()).rejects.toThrow();
  redis.disconnect();
});
