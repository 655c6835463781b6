import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/producer/store.ts';
import { submitPlan } from '../../src/producer/submit.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { loadConfig } from '../../src/runtime/config.ts';
import { testPlan } from '../support/app.ts';
import { startRedisServer } from '../support/redis-server.ts';

test('a Redis that is getting full refuses new runs clearly and keeps the old ones', async () => {
  const server = await startRedisServer([['maxmemory', '24mb']]);
  onTestFinished(server.stop);
  const config = await loadConfig({ REDIS_URL: server.socket, PLANQ_PREFIX: 'full' }, {}, '/nonexistent');
  if (!config.ok) throw new Error('config');
  const store = await openStore(config.value, systemClock);
  onTestFinished(() => store.close());
  const tasks = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`t${index}`, { agent: 'noop', prompt: 'x'.repeat(1000) }]),
  );
  const plan = testPlan({ tasks });
  let accepted = 0;
  const fill = async (): Promise<void> => {
    for (; accepted < 50; accepted++) await submitPlan(store, config.value, systemClock, plan);
  };
  await expect(fill()).rejects.toMatchObject({
    code: 'redis_full',
    retryable: true,
    hint: expect.stringContaining('maxmemory'),
  });
  expect(accepted).toBeGreaterThan(0);
  expect(await store.record.listRuns(100)).toHaveLength(accepted);
  const info = await store.redis.info('memory');
  const [used, max] = ['used_memory', 'maxmemory'].map((name) =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]),
  ) as [number, number];
  expect(used).toBeLessThan(max);
});
