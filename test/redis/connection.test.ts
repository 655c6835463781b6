import net from 'node:net';
import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  checkServer,
  createConnection,
  describeTarget,
  openChecked,
  openConnection,
} from '../../src/redis/connection.ts';
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

test('a server is opened and looked at with one question, and with one more each time it comes back', async () => {
  const server = await startRedisServer([['appendonly', 'yes']]);
  onTestFinished(server.stop);
  const { redis, check } = await openChecked({ url: server.socket }, systemClock, { volatile: false });
  onTestFinished(() => redis.disconnect());
  expect(check).toMatchObject({ appendOnly: true, warnings: [] });
  const asked = async (name: string) =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await redis.info('commandstats'))?.[1]);
  expect(await asked('info')).toBe(1);
  expect(await asked('ping')).toBe(1);
  redis.disconnect(true);
  await redis.ping();
  // Ours of before, and that of ioredis.
  expect(await asked('info')).toBe(4);
});

test.each(['refuses', 'answers'] as const)('a server that loads its file and %s a ping is waited for', async (ping) => {
  const { url, asked } = await serveLoading(3, ping);
  const { redis, check } = await openChecked({ url }, systemClock, { volatile: false });
  redis.disconnect();
  expect(check).toMatchObject({ server: 'redis 7.2.4', appendOnly: true });
  expect(asked.filter((name) => name === 'info')).toHaveLength(5);
  expect(asked.at(-3), 'not before it has loaded').toBe('ping');
});

/** Speaks as servers do while they load. @param looks how often it says that it still does */
async function serveLoading(looks: number, ping: 'refuses' | 'answers'): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const answer = (name: string): string => {
    asked.push(name);
    const isLoading = asked.filter((one) => one === 'info').length <= looks;
    if (name === 'hello') return "-ERR unknown command 'hello'\r\n";
    if (name === 'info') {
      const fields = ['redis_version:7.2.4', 'role:master', 'aof_enabled:1', 'maxmemory_policy:noeviction'];
      const text = [...fields, `loading:${isLoading ? 1 : 0}`, 'loading_eta_seconds:0.01', ''].join('\r\n');
      return `$${text.length}\r\n${text}\r\n`;
    }
    if (name === 'ping')
      return isLoading && ping === 'refuses' ? '-LOADING Redis is loading the dataset in memory\r\n' : '+PONG\r\n';
    const seconds = String(Math.round(Date.now() / 1000));
    return name === 'time' ? `*2\r\n$${seconds.length}\r\n${seconds}\r\n$1\r\n0\r\n` : '+OK\r\n';
  };
  const server = net.createServer((socket) => {
    socket.on('data', (data) => {
      for (const [, name = ''] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) socket.write(answer(name));
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `redis://127.0.0.1:${(server.address() as net.AddressInfo).port}`, asked };
}

test('an address where nobody answers is one sentence, at once', async () => {
  await expect(openConnection({ url: path.join('/nonexistent', 'redis.sock') })).rejects.toMatchObject({
    code: 'redis_unreachable',
  });
  await expect(openConnection({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'redis_unreachable',
    hint: expect.stringContaining('REDIS_URL'),
  });
  await expect(openChecked({ url: 'redis://127.0.0.1:1' }, systemClock, { volatile: false })).rejects.toMatchObject({
    code: 'redis_unreachable',
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
