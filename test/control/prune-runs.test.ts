import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { pruneRuns } from '../../src/control/prune-runs.ts';
import { pause, resume } from '../../src/control/steer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const agent = createScriptedAgent(
  ({ task }): Outcome => (task.id === 'bad' ? { kind: 'failed', reason: 'broken' } : { kind: 'completed' }),
);

const submit = async (app: TestApp, name: string, document: Record<string, unknown>, key = name) =>
  (
    await app.submit(testPlan({ name, defaults: { agent: 'scripted' }, ...document }, agent.kinds), {
      key,
      workspace: name,
    })
  ).runId;

/** Names of keys that hold something of the run, and queues that hold a job of it. */
async function tracesOf(app: TestApp, run: string): Promise<string[]> {
  const { redis, keys } = app.store;
  const names = await redis.keys(`${keys.base}*`);
  const found = names.filter((name) => name.includes(run));
  for (const name of names) {
    const type = await redis.type(name);
    const dump =
      type === 'zset'
        ? await redis.zrange(name, '0', '-1')
        : type === 'hash'
          ? Object.entries(await redis.hgetall(name)).flat()
          : type === 'set'
            ? await redis.smembers(name)
            : type === 'list'
              ? await redis.lrange(name, 0, -1)
              : [];
    if (dump.some((text) => text.includes(run))) found.push(name);
  }
  return found;
}

const later = () => systemClock.now() + 60_000;

test.each(['none', 'stage'])(
  'nothing is left of a run that ended, and its files stay (barrier %s)',
  async (barrier) => {
    const app = await createTestApp();
    await app.startPool({ agents: agent.agents });
    const run = await submit(app, 'old', { barrier, tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' } } });
    await app.atRest(run);
    await waitUntil('the report is written', () =>
      app.file('old/report.md').then(
        () => true,
        () => false,
      ),
    );
    await waitUntil(
      'it is finalised',
      async () => (await app.store.queues.queue('runs').getJobState(run)) === 'completed',
    );
    await app.store.record.pushTail(run, 1, ['said']);
    expect(await pruneRuns(app.store, systemClock.now() - 60_000, false)).toEqual({ runs: [], kept: [] });
    expect((await pruneRuns(app.store, later(), true)).runs.map(({ id }) => id)).toEqual([run]);
    expect((await app.view(run)).run.state).toBe('completed');
    expect((await pruneRuns(app.store, later(), false)).runs.map(({ id }) => id)).toEqual([run]);
    expect(await tracesOf(app, run)).toEqual([]);
    expect(await app.file('old/report.md')).toContain('3 of 3');
    const next = await submit(app, 'old', { tasks: { other: {} } });
    expect(next).not.toBe(run);
    await app.atRest(next);
  },
);

test('a cancelled run with failed and waiting jobs goes whole', async () => {
  const app = await createTestApp();
  await app.startPool({ agents: agent.agents });
  const run = await submit(app, 'old', { tasks: { bad: {}, b: { needs: 'bad' }, good: {}, c: { needs: 'good' } } });
  await app.atRest(run);
  await cancelRun(app.store, systemClock, run, 5000);
  await waitUntil('it is gone', async () => (await pruneRuns(app.store, later(), false)).runs.length === 1);
  expect(await tracesOf(app, run)).toEqual([]);
});

test('runs that go on, rest or are paused are kept, and so is one whose job a worker holds', async () => {
  const app = await createTestApp();
  const paused = await submit(app, 'paused', { tasks: { a: {} } });
  await pause(app.store, systemClock, { kind: 'run', run: paused }, 'ann', '');
  await app.startPool({ agents: agent.agents });
  const blocked = await submit(app, 'blocked', { tasks: { bad: {}, b: { needs: 'bad' } } });
  const ended = await submit(app, 'ended', { tasks: { a: {} } });
  await app.atRest(blocked);
  await app.atRest(ended);
  await waitUntil(
    'it is finalised',
    async () => (await app.store.queues.queue('runs').getJobState(ended)) === 'completed',
  );
  await app.store.redis.set(`${app.store.keys.base}:master-development:${ended}.a:lock`, 'somebody');
  expect(await pruneRuns(app.store, later(), false)).toEqual({ runs: [], kept: [ended] });
  await app.store.redis.del(`${app.store.keys.base}:master-development:${ended}.a:lock`);
  expect((await pruneRuns(app.store, later(), false)).runs.map(({ id }) => id)).toEqual([ended]);
  expect((await app.view(blocked)).run.state).toBe('blocked');
  await resume(app.store, { kind: 'run', run: paused });
  expect((await app.atRest(paused)).run.state).toBe('completed');
});

test('more runs than one page, and the newer ones stay', async () => {
  const app = await createTestApp();
  await app.startPool({ agents: agent.agents });
  const run = await submit(app, 'one', { tasks: { a: {} } });
  await app.atRest(run);
  const { redis, keys } = app.store;
  const meta = await redis.hgetall(keys.run(run));
  const copies = Array.from({ length: 230 }, (_, at) => `copy${at}`);
  for (const id of copies) {
    await redis.hset(keys.run(id), { ...meta, key: '', tasks: 0, finishedAt: 1000 });
    await redis.zadd(keys.runs, 1000, id);
  }
  expect((await pruneRuns(app.store, 2000, false)).runs).toHaveLength(230);
  expect(await app.store.record.listRuns(1000)).toEqual([run]);
});
