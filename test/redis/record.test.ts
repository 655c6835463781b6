/**
 * The scripts one by one: what they refuse, and that the first write wins.
 */

import { expect, test } from 'vitest';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { splitEntry } from '../../src/redis/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { damageStatus } from '../support/status.ts';

const noop = { agent: 'noop' };

async function submitted(app: TestApp, tasks: Record<string, unknown> = { a: noop, b: { ...noop, needs: 'a' } }) {
  return (await app.submit(testPlan({ tasks }))).runId;
}

const crashesOf = async (app: TestApp, run: string) => parseTaskRecord(await app.store.record.readTask(run, 0)).c;

test('an outcome is recorded once: the second one of the same attempt changes nothing', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  const held = { run, index: 0, token: 't1' };
  expect(await app.store.record.claim(held, 'w', 5000)).toMatchObject({ kind: 'run', attempt: 1 });
  expect(await app.store.record.settle({ ...held, kind: 'completed' })).toMatchObject({
    status: 'settled',
    state: 'completed',
    outbox: [],
  });
  // Its job is there already, whatever becomes of the worker now.
  expect(await app.store.queues.queue('master-development').getJobState(`${run}.b`)).toBe('prioritized');
  expect(await app.store.record.settle({ ...held, kind: 'failed', reason: 'late' })).toMatchObject({
    status: 'already',
    state: 'completed',
  });
  expect((await app.view(run)).tasks[0]).toMatchObject({ state: 'completed', reason: null });
});

test('a late worker loses by its token, and that is told', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  const late = { run, index: 0, token: 'late' };
  const next = { run, index: 0, token: 'next' };
  await app.store.record.claim(late, 'w1', 0);
  expect(await app.store.record.claim(next, 'w2', 5000)).toMatchObject({ kind: 'run', attempt: 1 });
  expect(await crashesOf(app, run)).toBe(1);
  expect(await app.store.record.heartbeat([late, next], 5000)).toEqual(['lost', 'ok']);
  expect(await app.store.record.report(late, 'progress', 50, '')).toBe(false);
  expect(await app.store.record.settle({ ...late, kind: 'completed' })).toMatchObject({
    status: 'superseded',
    state: 'running',
  });
  expect(await app.store.record.settle({ ...next, kind: 'completed' })).toMatchObject({ status: 'settled' });
  const events = await app.store.redis.xrange(app.store.keys.events, '-', '+');
  expect(events.flatMap(splitEntry).map(({ fields }) => fields.type)).toContain('task-superseded');
});

test('a task that another worker holds is not given to a second one', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  await app.store.record.claim({ run, index: 0, token: 'one' }, 'w1', 5000);
  const second = await app.store.record.claim({ run, index: 0, token: 'two' }, 'w2', 5000);
  expect(second.kind).toBe('later');
});

test('a task that stopped three workers fails and takes no fourth', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  for (const token of ['one', 'two', 'three'])
    await app.store.record.claim({ run, index: 0, token }, 'w', 0, { isAlone: true });
  expect(await app.store.record.claim({ run, index: 0, token: 'four' }, 'w', 5000)).toMatchObject({
    kind: 'settled',
    state: 'failed',
  });
  const view = await app.view(run);
  expect(view.tasks.map((task) => [task.state, task.reason])).toEqual([
    ['failed', 'stopped 3 workers'],
    ['blocked', null],
  ]);
  expect(view.run.state).toBe('blocked');
});

test('jobs that no record knows, and tasks whose needs are not met, are not run', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  const claim = (index: number, id = run) => app.store.record.claim({ run: id, index, token: 't' }, 'w', 5000);
  expect(await claim(0, 'nosuchrun')).toEqual({ kind: 'gone' });
  expect(await claim(99)).toEqual({ kind: 'gone' });
  expect((await claim(1)).kind).toBe('later');
});

test('a cancelled run is not claimed any more, and its running task is told', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { a: noop, b: noop });
  const held = { run, index: 0, token: 't' };
  await app.store.record.claim(held, 'w', 5000);
  expect(await app.store.record.cancel(run)).toMatchObject({ state: 'running', running: 1 });
  expect(await app.store.record.claim({ run, index: 1, token: 'u' }, 'w', 5000)).toEqual({
    kind: 'final',
    state: 'cancelled',
  });
  expect(await app.store.record.heartbeat([held], 5000)).toEqual(['cancel']);
  expect((await app.view(run)).run.finishedAt).toBeNull();
  await app.store.record.settle({ ...held, kind: 'cancelled', reason: 'cancelled' });
  expect((await app.view(run)).run).toMatchObject({ state: 'cancelled', finishedAt: expect.any(String) });
  expect(await app.store.record.cancel(run)).toMatchObject({ state: 'cancelled' });
});

test('the sweeper rescues what a dead worker held, without an attempt', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  await app.store.record.claim({ run, index: 0, token: 'dead' }, 'w', 0);
  await expect
    .poll(async () => (await app.store.record.sweep(0)).outbox.get(run)?.map((entry) => entry.index))
    .toEqual([0]);
  expect(await app.store.redis.hgetall(app.store.keys.used)).toEqual({});
  expect(await app.store.record.claim({ run, index: 0, token: 'next' }, 'w', 5000)).toMatchObject({
    kind: 'run',
    attempt: 1,
  });
  expect(await crashesOf(app, run)).toBe(1);
});

test('a cancelled run whose worker died ends when its job comes back', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  await app.store.record.claim({ run, index: 0, token: 'dead' }, 'w', 0);
  await app.store.record.cancel(run);
  expect(await app.store.record.claim({ run, index: 0, token: 'next' }, 'w', 5000)).toEqual({
    kind: 'final',
    state: 'cancelled',
  });
  const view = await app.view(run);
  expect(view.tasks.map((task) => task.state)).toEqual(['cancelled', 'cancelled']);
  expect(view.run).toMatchObject({
    state: 'cancelled',
    finishedAt: expect.any(String),
    counts: { running: 0, ready: 0 },
  });
  expect(await app.store.redis.smembers(app.store.keys.live)).toEqual([]);
});

test('what a dead worker held goes to those who wait for it, and nobody sleeps beside a free limit', async () => {
  const app = await createTestApp();
  const plan = testPlan({ limits: { phases: { implementation: 1 } }, tasks: { a: noop, b: noop } });
  const { runId: run } = await app.submit(plan);
  await app.store.record.claim({ run, index: 0, token: 'dead' }, 'w', 0);
  expect((await app.store.record.claim({ run, index: 1, token: 'b' }, 'w', 5000)).kind).toBe('parked');
  // The dead worker's job comes back: what it held is handed to the one who waits, and it stands in line itself.
  expect((await app.store.record.claim({ run, index: 0, token: 'a' }, 'w', 5000)).kind).toBe('parked');
  expect((await app.store.record.sweep(0)).grants.map((grant) => grant.index)).toEqual([1]);
  expect((await app.store.record.claim({ run, index: 1, token: 'b2' }, 'w', 5000)).kind).toBe('run');
  const settled = await app.store.record.settle({ run, index: 1, token: 'b2', kind: 'completed' });
  expect(settled.grants.map((grant) => grant.index)).toEqual([0]);
});

test('attempts are numbered on after a retry, and counted anew', async () => {
  const app = await createTestApp();
  const run = (await app.submit(testPlan({ tasks: { a: { ...noop, retries: 1 } } }))).runId;
  const fail = async (token: string) => {
    const claim = await app.store.record.claim({ run, index: 0, token }, 'w', 5000);
    const settled = await app.store.record.settle({ run, index: 0, token, kind: 'retryable', reason: 'no' });
    return [claim.kind === 'run' ? [claim.attempt, claim.used] : claim.kind, settled.state];
  };
  expect([await fail('1'), await fail('2')]).toEqual([
    [[1, 0], 'ready'],
    [[2, 1], 'failed'],
  ]);
  await app.store.record.retry(run, null);
  expect([await fail('3'), await fail('4')]).toEqual([
    [[3, 0], 'ready'],
    [[4, 1], 'failed'],
  ]);
});

test.each([
  ['as most are', 't', false],
  ['of a token that JSON writes in another way', 't"\\', false],
  ['after a report of its progress', 't', true],
])('the record of an attempt and of its end says all that is known: %s', async (_, token, reports) => {
  const app = await createTestApp();
  const run = await submitted(app);
  const held = { run, index: 0, token };
  const read = async () => parseTaskRecord(await app.store.record.readTask(run, 0));
  await app.store.record.claim(held, 'w', 5000);
  const begun = await read();
  expect(begun).toEqual({ s: 'running', k: token, w: 'w', st: expect.any(Number), b0: begun.st, a: 1 });
  if (reports) await app.store.record.report(held, 'progress', 50, '');
  await app.store.record.settle({ ...held, kind: 'completed', exitCode: 0, verified: true });
  const ended = { w: 'w', st: begun.st, b0: begun.st, a: 1, u: 1, f: expect.any(Number), x: 0, v: 1 };
  expect(await read()).toEqual({ s: 'completed', lk: token, ...ended });
});

test('a worker with an odd name writes a record and events that can be read', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  await app.store.record.claim({ run, index: 0, token: 't' }, 'w\n1\tz', 5000);
  expect(parseTaskRecord(await app.store.record.readTask(run, 0)).w).toBe('w\n1\tz');
  const events = (await app.store.redis.xrange(app.store.keys.events, '-', '+')).flatMap(splitEntry);
  expect(events.at(-1)?.fields).toMatchObject({ run, type: 'task-started', worker: 'w 1 z' });
});

test('a run goes on while one of its counts is below zero', async () => {
  const app = await createTestApp();
  const run = (await app.submit(testPlan({ barrier: 'none', tasks: { a: noop, b: noop } }))).runId;
  const claim = (index: number) => app.store.record.claim({ run, index, token: `t${index}` }, 'w', 5000);
  const settle = (index: number) =>
    app.store.record.settle({ run, index, token: `t${index}`, kind: 'completed', reason: '' });
  await claim(0);
  await damageStatus(app, run, / 0 1 1 /, ' 0 0 1 ');
  await claim(1);
  expect(await settle(0)).toMatchObject({ runState: 'running' });
  await app.store.audits.mendCounts(run);
  expect(await settle(1)).toMatchObject({ runState: 'completed' });
});

test('counts that are no numbers are counted anew, and keep nobody from claiming', async () => {
  const app = await createTestApp();
  const run = (await app.submit(testPlan({ tasks: { a: noop, b: { ...noop, needs: 'a' } } }))).runId;
  await damageStatus(app, run, / 1 1 0 0 0 0 0 /, ' 1 abc 0 0 0 xyz ');
  expect(await app.store.record.claim({ run, index: 0, token: 't' }, 'w', 5000)).toMatchObject({ kind: 'run' });
  const repairs = (await app.store.audits.mendCounts(run)).map(({ name, is }) => `${name} ${is}`);
  expect(repairs.sort()).toEqual(['failed 0', 'ready 0']);
  expect(await app.store.record.readMeta(run)).toMatchObject({ 'n:ready': '0', 'n:running': '1', 'n:failed': '0' });
});

test('a count that is "nan" keeps nobody from being renewed', async () => {
  const app = await createTestApp();
  const held = await Promise.all(
    [0, 1].map(async (at) => ({
      run: (await app.submit(testPlan({ tasks: { a: noop } }))).runId,
      index: 0,
      token: `t${at}`,
    })),
  );
  for (const one of held) await app.store.record.claim(one, 'w', 5000);
  await damageStatus(app, held[1]!.run, / 0 0 1 /, ' nan nan 1 ');
  expect(await app.store.record.heartbeat(held, 5000)).toEqual(['ok', 'ok']);
});

test('a record of no known state leaves the counts as they are', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  await app.store.redis.hset(app.store.keys.run(run), 't0', '{"s":"odd"}');
  expect(await app.store.audits.mendCounts(run)).toEqual([]);
});

test('a run whose status cannot be read is not pruned, and others are resumed', async () => {
  const app = await createTestApp();
  const [run, other] = [await submitted(app), await submitted(app)];
  await app.store.steering.hold('all', { by: 'ann', at: 1, comment: '' });
  for (const id of [run, other])
    expect(await app.store.record.claim({ run: id, index: 0, token: 't' }, 'w', 5000)).toMatchObject({
      kind: 'parked',
    });
  await damageStatus(app, run, /^.*$/s, 'x');
  expect(await app.store.steering.prune(run, systemClock.now() + 60_000)).toBe('kept');
  await app.store.steering.release('all');
  expect(await app.store.record.readMeta(other)).toMatchObject({ 'n:ready': '1', 'n:parked': '0' });
});

test('a waiter whose run has lost its status does not keep others from settling', async () => {
  const app = await createTestApp();
  const gpu = { ...noop, takes: { gpu: 1 } };
  const plan = testPlan({ limits: { agents: 1, resources: { gpu: 1 } }, tasks: { a: gpu, b: gpu } });
  const [one, other] = [(await app.submit(plan)).runId, (await app.submit(plan)).runId];
  const held = { run: one, index: 0, token: 't' };
  await app.store.record.claim(held, 'w', 5000);
  expect((await app.store.record.claim({ run: other, index: 0, token: 'u' }, 'w', 5000)).kind).toBe('parked');
  await app.store.redis.hdel(app.store.keys.run(other), 'status');
  expect(await app.store.record.settle({ ...held, kind: 'completed' })).toMatchObject({ status: 'settled' });
  expect(await app.store.record.readMeta(one)).toMatchObject({ 'n:completed': '1', 'n:running': '0' });
});

test('calls that come together are told apart, also when one of them finds damage', async () => {
  const app = await createTestApp();
  const [good, bad] = [await submitted(app), await submitted(app)];
  await app.store.redis.hset(app.store.keys.run(bad), 't0', 'not a record');
  const claim = (run: string) => app.store.record.claim({ run, index: 0, token: run }, 'w', 5000);
  const [first, second, third] = await Promise.allSettled([claim(good), claim(bad), claim(good)]);
  expect(first).toMatchObject({ status: 'fulfilled', value: { kind: 'run' } });
  expect(second.status).toBe('rejected');
  expect(third).toMatchObject({ status: 'fulfilled', value: { kind: 'run' } });
  // What the failed one had begun is not written.
  expect(await app.store.record.readMeta(bad)).toMatchObject({ 'n:ready': '1', 'n:running': '0' });
});

test('a hash that is no run has no tasks', async () => {
  const app = await createTestApp();
  const run = await submitted(app);
  const held = { run: `${run}:needs`, index: 1, token: 't' };
  expect(await app.store.record.claim(held, 'w', 5000)).toEqual({ kind: 'gone' });
  expect(await app.store.record.conclude(`${run}:plan`, null)).toEqual({ kind: 'gone' });
});

test('a job that names what is no run does not end the look at its parent', async () => {
  const app = await createTestApp();
  const run = (await app.submit(testPlan({ barrier: 'none', tasks: { a: noop } }))).runId;
  const job = await app.store.queues.queue('master-development').getJob(`${run}.a`);
  await job!.updateData({ v: 1, run: `${run}:plan`, i: 0 });
  const { dependencies } = await app.store.audits.lookAtParent(run, run);
  expect(dependencies).toMatchObject([{ run: `${run}:plan`, index: null, task: null }]);
});

test('damage of a task keeps nothing but that task', async () => {
  const app = await createTestApp();
  const tasks = { a: noop, b: { ...noop, needs: 'a' }, c: { ...noop, needs: 'a' } };
  const run = (await app.submit(testPlan({ barrier: 'none', limits: { agents: 1 }, tasks }))).runId;
  const key = app.store.keys.run(run);
  const held = { run, index: 0, token: 't' };
  await app.store.record.claim(held, 'w', 5000);
  await app.store.redis.hset(key, 't1', 'not a record');
  expect(await app.store.audits.mendCounts(run)).toEqual([]);
  expect(await app.store.record.settle({ ...held, kind: 'completed' })).toMatchObject({ status: 'settled' });
  const states = Object.entries(await app.store.record.readTasks(run)).map(([index, text]) => [
    index,
    text.includes('ready'),
  ]);
  expect(states).toEqual([
    ['0', false],
    ['1', false],
    ['2', true],
  ]);
});

test('a task whose node is gone settles, and its shares are counted without it', async () => {
  const app = await createTestApp();
  const run = (await app.submit(testPlan({ limits: { agents: 1 }, tasks: { a: noop, b: noop } }))).runId;
  const held = { run, index: 0, token: 't' };
  await app.store.record.claim(held, 'w', 5000);
  await app.store.redis.hdel(app.store.keys.run(run), '0');
  const repairs = (await app.store.audits.mendCounts(run)).map(({ what, name, is }) => `${what} ${name} ${is}`);
  expect(repairs.sort()).toEqual(['limit agents 0']);
  expect(await app.store.record.settle({ ...held, kind: 'completed' })).toMatchObject({ status: 'settled' });
});

test('tasks that a settled task lets go are added in the tree that a submit would make', async () => {
  const app = await createTestApp();
  const tasks = { a: noop, b: { ...noop, needs: 'a' }, c: { ...noop, needs: 'a' }, d: { ...noop, needs: ['b', 'c'] } };
  const run = (await app.submit(testPlan({ barrier: 'stage', tasks }))).runId;
  const settle = async (index: number, parentId: string): Promise<void> => {
    const held = { run, index, token: `t${index}` };
    await app.store.record.claim(held, 'w', 5000);
    await app.store.record.settle({ ...held, kind: 'completed', parentId });
  };
  const queue = app.store.queues.queue('master-development');
  const parentOf = async (id: string) => (await queue.getJob(`${run}.${id}`))?.parent?.id;
  await settle(0, run);
  expect([await parentOf('a'), await parentOf('b'), await parentOf('c')]).toEqual([
    run,
    `${run}.stage-2`,
    `${run}.stage-2`,
  ]);
  const [b, root] = [await queue.getJob(`${run}.b`), await app.store.queues.queue('runs').getJob(`${run}.stage-2`)];
  expect(b).toMatchObject({
    name: 'b',
    data: { v: 1, run, i: 1 },
    opts: { attempts: 1000, priority: expect.any(Number) },
  });
  expect([root?.data, root?.parent?.id, await root?.getState()]).toEqual([
    { v: 1, run, g: 2 },
    run,
    'waiting-children',
  ]);
  await settle(1, `${run}.stage-2`);
  await settle(2, `${run}.stage-2`);
  expect(await parentOf('d')).toBe(run);
  await app.startPool();
  // The test stands for a worker that died before it ended the jobs of a, b and c: they come back and find all done.
  expect((await app.atRest(run)).run.state).toBe('completed');
});

test('a task that stopped three workers fails, and with on-failure cancel that stops the rest', async () => {
  const app = await createTestApp();
  const tasks = { a: noop, b: { ...noop, needs: 'a' }, c: noop };
  const run = (await app.submit(testPlan({ 'on-failure': 'cancel', barrier: 'none', tasks }))).runId;
  for (const token of ['one', 'two', 'three'])
    await app.store.record.claim({ run, index: 0, token }, 'w', 0, { isAlone: true });
  expect(await app.store.record.claim({ run, index: 0, token: 'four' }, 'w', 5000)).toMatchObject({
    kind: 'settled',
    state: 'failed',
  });
  const view = await app.view(run);
  expect(view.tasks.map(({ state }) => state)).toEqual(['failed', 'cancelled', 'cancelled']);
  expect(view.run.state).toBe('failed');
});

test('workers hear of runs that are new, resumed or cancelled, and not of what their tasks do', async () => {
  const app = await createTestApp();
  const plan = testPlan({ tasks: { a: { agent: 'noop' }, b: { agent: 'noop', needs: 'a' } } });
  const { runId: done } = await app.submit(plan);
  await app.startPool();
  await app.atRest(done);
  const { runId: cancelled } = await app.submit(plan);
  await app.store.record.cancel(cancelled, false);
  const entries = await app.store.redis.xrange(app.store.keys.calls, '-', '+');
  expect(entries.flatMap(splitEntry).map(({ fields }) => fields)).toEqual([
    { run: done, type: 'run-submitted' },
    { run: cancelled, type: 'run-submitted' },
    { run: cancelled, type: 'run-cancelling' },
  ]);
});
