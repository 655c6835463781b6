/**
 * What the sweep looks after, broken by hand one by one: it is put right, told once, and the run goes on. And a healthy
 * system is told of nothing.
 */
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { parseTaskRecord, type TaskRecord } from '../../src/flows/run-view.ts';
import { createJobWorker, type Job } from '../../src/redis/queues.ts';
import { isNothingToSweep } from '../../src/workers/nothing-to-sweep.ts';
import { createTestApp, type LoadedTestPlan, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { eventsOf, repairsOf } from '../support/repairs.ts';
import { createScriptedAgent, type ScriptedAgent } from '../support/scripted-agent.ts';
import { damageStatus } from '../support/status.ts';

const noop = { agent: 'noop' };
/** Served by nobody unless a test does. */
const away = { agent: 'noop', master: 'away' };

/** An agent whose tasks end when the test says so. */
function createHeldAgent(): ScriptedAgent & { letGo(): void } {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const agent = createScriptedAgent(async (): Promise<Outcome> => {
    await gate;
    return { kind: 'completed' };
  });
  onTestFinished(() => letGo());
  return { ...agent, letGo: () => letGo() };
}

async function readTask(app: TestApp, run: string, index: number): Promise<TaskRecord> {
  return parseTaskRecord(await app.store.record.readTask(run, index));
}

async function writeTask(app: TestApp, run: string, index: number, record: TaskRecord): Promise<void> {
  await app.store.redis.hset(app.store.keys.run(run), `t${index}`, JSON.stringify(record));
}

async function untilRepaired(app: TestApp, repairs: readonly string[]): Promise<void> {
  await waitUntil(`repaired: ${repairs.join(', ')}`, async () => {
    const told = await repairsOf(app);
    return repairs.every((repair) => told.includes(repair));
  });
}

async function untilReported(app: TestApp, run: string): Promise<void> {
  await waitUntil(
    'the report is written',
    async () => (await app.store.redis.zscore(app.store.keys.ended, run)) === null,
  );
}

async function expectCompleted(app: TestApp, run: string): Promise<void> {
  expect((await app.atRest(run)).run.state).toBe('completed');
  await untilReported(app, run);
}

const runsKey = (app: TestApp, rest: string): string => `${app.store.keys.base}:runs:${rest}`;

test('a ready task whose job was lost gets it again under the stage job that waits for it', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ tasks: { a: noop, a2: noop, b: { ...noop, needs: 'a' } } }));
  const { redis, keys } = app.store;
  await redis.unlink(`${keys.base}:master-development:${runId}.a`);
  await redis.zrem(`${keys.base}:master-development:prioritized`, `${runId}.a`);
  // Both sweep; one of them tells.
  await app.startPool();
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual(['job 0']);
  expect(app.warnings).toEqual(['a job was lost and is added again']);
  expect(await app.store.queues.queue('runs').getJobState(`${runId}.stage-1`)).toBe('completed');
});

test('a ready task that stands in the outbox is not called lost', async () => {
  const app = await createTestApp({ lockMs: 60_000 });
  const { runId } = await app.submit(testPlan({ tasks: { a: away } }));
  await app.store.queues.queue('master-away').remove(`${runId}.a`);
  await app.store.redis.zadd(app.store.keys.run(runId, 'outbox'), Date.now(), 0);
  expect(await app.store.audits.findLostJobs(runId, [0])).toEqual([]);
  await app.store.redis.zrem(app.store.keys.run(runId, 'outbox'), 0);
  expect(await app.store.audits.findLostJobs(runId, [0])).toMatchObject([{ index: 0, why: 'gone' }]);
});

test('a job whose hash no set of its queue names is added again', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ barrier: 'none', tasks: { a: noop } }));
  await app.store.redis.zrem(`${app.store.keys.base}:master-development:prioritized`, `${runId}.a`);
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual(['job 0']);
});

test('a running task without a lease is found to be a dead worker’s, and runs again', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ tasks: { a: away } }));
  const { store } = app;
  const claim = await store.record.claim({ run: runId, index: 0, token: 'dead' }, 'dead-worker', 60_000);
  expect(claim.kind).toBe('run');
  await store.redis.zrem(store.keys.leases, `${runId}|0`);
  await app.startPool({ masters: { other: 1 } });
  await waitUntil('it is ready', async () => (await readTask(app, runId, 0)).s === 'ready');
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual(['lease 0']);
  expect(await eventsOf(app, 'task-rescued')).toHaveLength(1);
  expect(await store.redis.hgetall(store.keys.used)).toEqual({});
});

test('a worker that lives keeps its task when the lease was lost, and no limit is counted twice', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const agent = createHeldAgent();
  await app.startPool({ agents: agent.agents });
  const { runId } = await app.submit(testPlan({ tasks: { a: { agent: 'scripted' } } }, agent.kinds));
  const { redis, keys } = app.store;
  await waitUntil('it runs', () => agent.running.has('a'));
  // In one go, or the heartbeat is quicker than the sweep, and there is nothing to repair.
  await redis.zrem(keys.leases, `${runId}|0`);
  await waitUntil('it has a lease again', async () => (await redis.zscore(keys.leases, `${runId}|0`)) !== null);
  expect(await redis.hget(keys.used, 'agents')).toBe('1');
  agent.letGo();
  await expectCompleted(app, runId);
  expect((await readTask(app, runId, 0)).c).toBeUndefined();
  expect(await redis.hgetall(keys.used)).toEqual({});
});

test('a lease that would never end is cut', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ tasks: { a: noop } }));
  await app.store.record.claim({ run: runId, index: 0, token: 'dead' }, 'dead-worker', 10 ** 10);
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual(['lease 0']);
});

test('a stage job that waits for a job that is gone is let go', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ tasks: { a: noop, b: noop } }));
  const ghost = `${app.store.keys.base}:master-development:${runId}.ghost`;
  await app.store.redis.sadd(runsKey(app, `${runId}.stage-1:dependencies`), ghost);
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual([`parent ${runId}.ghost`]);
  for (const id of [runId, `${runId}.stage-1`])
    expect(await app.store.queues.queue('runs').getJobState(id)).toBe('completed');
  expect(await app.store.redis.exists(ghost)).toBe(0);
});

test('a run job that waits for nothing at all is let go', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ barrier: 'none', tasks: { a: away } }));
  await app.store.redis.unlink(runsKey(app, `${runId}:dependencies`));
  await app.startPool({ masters: { other: 1 } });
  await untilRepaired(app, [`parent ${runId}`]);
  await app.startPool();
  await expectCompleted(app, runId);
});

test('a stage job that waits for the failed job of a task that was skipped is let go', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const agent = createScriptedAgent((): Outcome => ({ kind: 'failed', reason: 'broken' }));
  const first = await app.startPool({ agents: agent.agents });
  const { runId } = await app.submit(testPlan({ tasks: { a: { agent: 'scripted' } } }, agent.kinds));
  await app.atRest(runId);
  await first.stop();
  // As if whoever skipped it had died before it saw to the job.
  await app.store.steering.skip(runId, 0, 'not needed');
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await app.store.queues.queue('runs').getJobState(runId)).toBe('completed');
  expect(app.warnings).not.toContain('the job tree of an ended run was damaged and is removed');
});

test('a run whose last job is still being ended is waited for, however long that takes', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { store } = app;
  const { runId } = await app.submit(testPlan({ tasks: { a: away } }));
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const slow = createJobWorker({
    redis: store.redis,
    keys: store.keys,
    queue: 'master-away',
    concurrency: 1,
    times: { lockMs: 30_000, stalledMs: 30_000 },
    perform: async (job: Job) => {
      const held = { run: runId, index: 0, token: 'slow' };
      await store.record.claim(held, 'slow-worker', 30_000, { job: `master-away/${job.id}` });
      await store.record.settle({ ...held, kind: 'completed' });
      await ended;
      return {};
    },
    onRenew: () => undefined,
    onError: () => undefined,
  });
  onTestFinished(() => slow.close());
  onTestFinished(() => end());
  await waitUntil('the run has ended', async () => (await app.view(runId)).run.state === 'completed');
  await app.startPool({ masters: { other: 1 } });
  // Another run's end shows that this worker is at work.
  const other = await app.submit(testPlan({ tasks: { b: { ...noop, master: 'other' } } }), { workspace: 'second' });
  await expectCompleted(app, other.runId);
  await waitUntil(
    'it was looked at as one that is stuck',
    async () => Number(await store.redis.zscore(store.keys.ended, runId)) < Date.now() - 20 * app.config.times.sweepMs,
    10_000,
  );
  expect(await store.queues.queue('runs').getJobState(runId)).toBe('waiting-children');
  expect(app.warnings).toEqual([]);
  end();
  await untilReported(app, runId);
  expect(await store.queues.queue('runs').getJobState(runId)).toBe('completed');
  expect(await repairsOf(app)).toEqual([]);
});

test('a gate that opened too early is closed again', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const agent = createHeldAgent();
  const held = { agent: 'scripted' };
  const plan = testPlan({ tasks: { a: held, b: { ...held, needs: 'a' } } }, agent.kinds);
  await app.startPool({ agents: agent.agents });
  const { runId } = await app.submit(plan);
  await waitUntil('a runs', () => agent.running.has('a'));
  await writeTask(app, runId, 2, { s: 'completed' });
  await untilRepaired(app, ['gate 2']);
  expect((await readTask(app, runId, 2)).s).toBe('pending');
  agent.letGo();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual(['gate 2']);
});

test('a gate behind which work has begun is told of and left open; after a retry it is not even told', async () => {
  const app = await createTestApp({ lockMs: 60_000 });
  const { runId } = await app.submit(testPlan({ tasks: { a: away, b: { ...away, needs: 'a' } } }));
  await writeTask(app, runId, 2, { s: 'completed' });
  await writeTask(app, runId, 1, { s: 'ready' });
  expect((await app.store.audits.mendGates(runId)).gates).toEqual([{ index: 2, isClosed: false }]);
  await app.store.redis.hset(app.store.keys.run(runId), 't0', JSON.stringify({ s: 'ready', z: 3 }));
  expect((await app.store.audits.mendGates(runId)).gates).toEqual([]);
  expect(await repairsOf(app)).toEqual([]);
});

test('what is in use of a limit is the sum of its leases again, and who waited gets its share', async () => {
  const app = await createTestApp({ lockMs: 600 });
  await app.startPool();
  await app.store.redis.hset(app.store.keys.used, 'agents', 1000, 'res:old', 3);
  const { runId } = await app.submit(testPlan({ tasks: { a: noop } }));
  await expectCompleted(app, runId);
  await untilRepaired(app, ['limit agents', 'limit old']);
  expect(await repairsOf(app)).toHaveLength(2);
  expect(await app.store.redis.hgetall(app.store.keys.used)).toEqual({});
  expect((await eventsOf(app, 'repaired')).find(({ name }) => name === 'old')).toMatchObject({ was: 3, count: 0 });
});

test('leases that nobody counted are counted', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ tasks: { a: away } }));
  await app.store.record.claim({ run: runId, index: 0, token: 'mine' }, 'worker', 60_000);
  await app.store.redis.unlink(app.store.keys.used);
  const found = await app.store.audits.mendLimits();
  expect(found?.repairs).toContainEqual({ name: 'agents', was: '0', is: 1 });
  expect((await app.store.audits.mendLimits())?.repairs).toEqual([]);
});

test("what is in use of a run's own limit is the sum of its leases again, and who waited gets its share", async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ limits: { agents: 1 }, tasks: { a: noop, b: noop } }));
  await damageStatus(app, runId, /agents 0$/, 'agents 1');
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toEqual(['limit agents']);
  expect((await eventsOf(app, 'repaired'))[0]).toMatchObject({ run: runId, was: 1, count: 0 });
});

test("leases that nobody counted for a run's own limit are counted, those of another run are not", async () => {
  const app = await createTestApp({ lockMs: 600 });
  const submit = async () => (await app.submit(testPlan({ limits: { agents: 1 }, tasks: { a: away, b: away } }))).runId;
  const [run, other] = [await submit(), await submit()];
  for (const [id, token] of [
    [run, 'mine'],
    [other, 'theirs'],
  ] as const)
    expect(await app.store.record.claim({ run: id, index: 0, token }, 'worker', 60_000)).toMatchObject({ kind: 'run' });
  await damageStatus(app, run, /agents 1$/, '');
  expect(await app.store.audits.mendCounts(run)).toEqual([{ what: 'limit', name: 'agents', was: '0', is: 1 }]);
  expect(await app.store.audits.mendCounts(run)).toEqual([]);
  expect(await app.store.audits.mendCounts(other)).toEqual([]);
  const second = await app.store.record.claim({ run, index: 1, token: 'more' }, 'worker', 60_000);
  expect(second).toMatchObject({ kind: 'parked', reason: 'waiting for agents of this run' });
});

test('counts that disagree with the tasks are counted anew, and the run goes on', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId } = await app.submit(testPlan({ tasks: { a: away, b: { ...away, needs: 'a' } } }));
  await damageStatus(app, runId, / 2 1 1 0 0 0 0 /, ' 2 7 1 0 0 0 1 ');
  await app.startPool({ masters: { other: 1 } });
  await untilRepaired(app, ['count pending', 'count failed']);
  expect((await app.view(runId)).run.counts).toMatchObject({ pending: 1, ready: 1, failed: 0 });
  await app.startPool();
  await expectCompleted(app, runId);
  expect(await repairsOf(app)).toHaveLength(2);
});

test('a master that nobody serves is told of once, and again after it was served', async () => {
  const app = await createTestApp({ lockMs: 600 });
  await app.startPool({ masters: { other: 1 } });
  const first = await app.submit(testPlan({ tasks: { a: away } }));
  const told = (): Promise<number> => eventsOf(app, 'no-worker').then((events) => events.length);
  await waitUntil('it is told', async () => (await told()) === 1);
  expect(await eventsOf(app, 'no-worker')).toMatchObject([{ master: 'away', count: 1, run: '' }]);
  const suspectedAt = (): Promise<string | null> =>
    app.store.redis.zscore(`${app.store.keys.base}:suspects`, JSON.stringify(['master', 'away']));
  for (let looks = 0; looks < 2; looks++) {
    const before = await suspectedAt();
    await waitUntil('it is looked at once more', async () => ![null, before].includes(await suspectedAt()));
  }
  expect(await told()).toBe(1);
  const server = await app.startPool({ masters: { away: 1 } });
  await expectCompleted(app, first.runId);
  await waitUntil('it is served', async () => (await app.store.redis.exists(app.store.keys.unserved)) === 0);
  await server.stop();
  expect(await told()).toBe(1);
  await app.submit(testPlan({ tasks: { a: away } }), { workspace: 'second' });
  await waitUntil('it is told again', async () => (await told()) === 2);
});

test('a job that belongs to no run and no queue is removed; one of a run that is known is not', async () => {
  // As the default user: others are not asked to list keys.
  const server = await startRedisServer();
  onTestFinished(server.stop);
  const app = await createTestApp({ lockMs: 600, redisUrl: server.socket });
  const { redis, keys } = app.store;
  const { runId } = await app.submit(testPlan({ tasks: { a: away } }));
  const orphan = `${keys.base}:master-away:nobodysrun22.a`;
  await redis.hset(orphan, 'name', 'a', 'data', JSON.stringify({ v: 1, run: 'nobodysrun22', i: 0 }));
  const data = JSON.stringify({ v: 1, run: runId, i: 7 });
  await redis.hset(`${keys.base}:master-away:${runId}.zzz`, 'name', 'zzz', 'data', data);
  await app.startPool({ masters: { other: 1 } });
  await waitUntil('it is removed', async () => (await redis.exists(orphan)) === 0);
  expect(await repairsOf(app)).toEqual(['orphan nobodysrun22.a']);
  expect(await redis.exists(`${keys.base}:master-away:${runId}.a`)).toBe(1);
  expect(await redis.exists(`${keys.base}:master-away:${runId}.zzz`)).toBe(1);
});

test('a job that belongs to no run is removed where nothing else is to do as well', async () => {
  const server = await startRedisServer();
  onTestFinished(server.stop);
  const app = await createTestApp({ lockMs: 600, redisUrl: server.socket });
  const { redis, keys } = app.store;
  const orphan = `${keys.base}:master-away:nobodysrun22.a`;
  await redis.hset(orphan, 'name', 'a', 'data', JSON.stringify({ v: 1, run: 'nobodysrun22', i: 0 }));
  expect(await isNothingToSweep(app.store)).toBe(true);
  await app.startPool();
  await waitUntil('it is removed', async () => (await redis.exists(orphan)) === 0);
  expect(await repairsOf(app)).toEqual(['orphan nobodysrun22.a']);
});

test('there is nothing to sweep when all runs have their reports, and again something when a limit is still in use', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { redis, keys } = app.store;
  const isNothing = (): Promise<boolean> => isNothingToSweep(app.store);
  expect(await isNothing()).toBe(true);
  const { runId } = await app.submit(testPlan({ tasks: { a: noop, b: { ...noop, needs: 'a' } } }));
  expect(await isNothing()).toBe(false);
  await app.startPool();
  await expectCompleted(app, runId);
  await waitUntil('nothing is left', isNothing);
  await redis.hset(keys.used, 'agents', 1);
  await waitUntil('it is put right', isNothing);
  expect(await repairsOf(app)).toEqual(['limit agents']);
});

const shape = fc.array(fc.record({ needs: fc.uniqueArray(fc.nat(20), { maxLength: 3 }), fate: fc.nat(9) }), {
  minLength: 1,
  maxLength: 14,
});

function toPlan(tasks: readonly { needs: number[] }[], barrier: string, kinds: ReadonlySet<string>): LoadedTestPlan {
  const entries = tasks.map(({ needs }, index) => [
    `t${index}`,
    {
      agent: 'scripted',
      phase: 'planning',
      master: index % 2 === 0 ? 'one' : 'two',
      retries: 1,
      'continue-on-error': index % 5 === 0,
      needs: index === 0 ? [] : [...new Set(needs.map((need) => `t${need % index}`))],
    },
  ]);
  const limits = { agents: 3, phases: { planning: 2 } };
  return testPlan({ barrier, 'on-failure': 'continue', limits, tasks: Object.fromEntries(entries) }, kinds);
}

test('a healthy system is told of no repair, whatever it runs', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const fates = new Map<string, number>();
  const agent = createScriptedAgent(({ runId, task, attempt }): Outcome => {
    const fate = fates.get(`${runId}.${task.id}`) ?? 0;
    if (fate === 1 || (fate === 2 && attempt === 1)) return { kind: 'retryable', reason: 'Exit code 1', exitCode: 1 };
    return fate === 3 ? { kind: 'failed', reason: 'broken' } : { kind: 'completed' };
  });
  for (let count = 0; count < 2; count++)
    await app.startPool({
      agents: agent.agents,
      config: { ...app.config, times: { ...app.config.times, sweepMs: 10 } },
      concurrency: 3,
    });
  let workspace = 0;
  await fc.assert(
    fc.asyncProperty(shape, fc.constantFrom('none', 'stage', 'phase'), async (tasks, barrier) => {
      const { runId } = await app.submit(toPlan(tasks, barrier, agent.kinds), { workspace: `w${workspace++}` });
      for (const [index, { fate }] of tasks.entries()) fates.set(`${runId}.t${index}`, fate);
      await app.atRest(runId);
      await untilReported(app, runId);
      expect(await repairsOf(app)).toEqual([]);
    }),
    { numRuns: 40, endOnFailure: true },
  );
  expect(await eventsOf(app, 'no-worker')).toEqual([]);
  expect(app.warnings).toEqual([]);
}, 120_000);
