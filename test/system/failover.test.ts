import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { submitPlan } from '../../src/producer/submit.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startProxy } from '../faults/proxy.ts';
import { startFaultRedis } from '../faults/redis.ts';
import { createTestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';

const chain = (length: number) =>
  testPlan({
    tasks: Object.fromEntries(
      Array.from({ length }, (_, at) => [
        `t${at}`,
        { agent: 'fake', with: { work: '200ms' }, ...(at === 0 ? {} : { needs: `t${at - 1}` }) },
      ]),
    ),
  });

test('a replica takes over: workers find it, and what it had goes on', async () => {
  const [first, second] = [await startFaultRedis(), await startFaultRedis()];
  const [one, two] = [new Redis(first.socket), new Redis(second.socket)];
  onTestFinished(() => {
    one.disconnect();
    two.disconnect();
  });
  await two.replicaof('127.0.0.1', first.port);
  await waitUntil(
    'the replica follows',
    async () => /master_link_status:up/.test(await two.info('replication')),
    15_000,
  );
  const proxy = await startProxy(first.port);
  const app = await createTestApp({ redisUrl: proxy.url, lockMs: 2000 });
  const submit = (replicas: number) => submitPlan(app.store, { ...app.config, replicas }, systemClock, chain(8), {});
  await app.startPool();
  const { runId, warning } = await submit(1);
  expect(warning).toBeUndefined();
  await waitUntil('it is under way', async () => (await app.view(runId)).run.counts.completed >= 2, 20_000);
  await two.replicaof('NO', 'ONE');
  proxy.moveTo(second.port);
  await one.replicaof('127.0.0.1', second.port);
  const view = await app.atRest(runId, 40_000);
  expect(view.run.counts.completed).toBe(8);
  const later = await submit(0);
  expect((await app.atRest(later.runId, 30_000)).run.state).toBe('completed');
}, 120_000);

test('a submit that too few replicas have says so, and its run goes on', async () => {
  const app = await createTestApp();
  const { runId, warning } = await submitPlan(app.store, { ...app.config, replicas: 1 }, systemClock, chain(1), {});
  expect(warning).toBe('only 0 of 1 replicas have the run after 1000 ms; a failover now may lose it');
  await app.startPool();
  expect((await app.atRest(runId)).run.state).toBe('completed');
});
