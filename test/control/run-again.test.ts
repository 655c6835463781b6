/**
 * Running a task again with all that needs it, whatever became of them, on a real Redis with agents that the test scripts.
 */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { decide } from '../../src/control/decide.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import { pause, resume, skipTask } from '../../src/control/steer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, statesOf, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const DONE: Outcome = { kind: 'completed', values: { n: '1' } };
const FAIL: Outcome = { kind: 'failed', reason: 'broken' };
const me = { by: 'ann', comment: '' };

/** A run of the document by agents that fail the tasks in `failing`, which the test may change. */
async function start(app: TestApp, document: Record<string, unknown>, failing = new Set<string>()) {
  const agent = createScriptedAgent(({ task }) => (failing.has(task.id) ? FAIL : DONE));
  const plan = testPlan({ ...document, defaults: { agent: 'scripted', retries: 0 } }, agent.kinds);
  const { runId: run } = await app.submit(plan);
  await app.startPool({ agents: agent.agents });
  const starts = (task: string) =>
    agent.journal.filter((entry) => entry.task === task && entry.kind === 'start').length;
  return { run, starts, kinds: agent.kinds };
}

const finalised = (app: TestApp, run: string) =>
  waitUntil(
    'the report is written',
    async () => (await app.store.queues.queue('runs').getJobState(run)) === 'completed',
    10_000,
  );

test.each(['none', 'stage', 'phase'])(
  'of a completed run the task and what needs it run again, with barrier %s',
  async (barrier) => {
    const app = await createTestApp();
    const tasks = { a: {}, b: { needs: 'a' }, c: { needs: 'b' }, side: {}, last: { needs: ['c', 'side'] } };
    const { run, starts } = await start(app, { barrier, tasks });
    expect((await app.atRest(run)).run.state).toBe('completed');
    await finalised(app, run);
    expect(await retryRun(app.store, systemClock, run, { from: 'b' })).toMatchObject({ retried: ['b', 'c', 'last'] });
    const view = await app.atRest(run);
    expect(view.run).toMatchObject({ state: 'completed', counts: { completed: 5 } });
    expect(['a', 'b', 'c', 'side', 'last'].map(starts)).toEqual([1, 2, 2, 1, 2]);
    expect(view.tasks.map(({ attempt }) => attempt)).toEqual([1, 2, 2, 1, 2]);
    await finalised(app, run);
    expect(JSON.parse(await app.file('workspace/report.json'))).toMatchObject({
      run: { finishedAt: view.run.finishedAt },
    });
    expect(await app.store.redis.hgetall(app.store.keys.used)).toEqual({});
  },
);

test('what had failed, was blocked or was skipped by a person runs as well', async () => {
  const app = await createTestApp();
  const failing = new Set(['b']);
  const tasks = { a: {}, b: { needs: 'a' }, c: { needs: 'b' }, d: { needs: 'a' }, e: { needs: 'd' } };
  const { run, starts } = await start(app, { tasks }, failing);
  await app.atRest(run);
  await skipTask(app.store, systemClock, run, 'b', 'ann');
  expect(statesOf(await app.atRest(run))).toMatchObject({ b: 'skipped', c: 'completed' });
  failing.clear();
  failing.add('d');
  await retryRun(app.store, systemClock, run, { from: 'a' });
  const again = await app.atRest(run);
  expect(statesOf(again)).toEqual({ a: 'completed', b: 'completed', c: 'completed', d: 'failed', e: 'blocked' });
  failing.clear();
  await retryRun(app.store, systemClock, run, { from: 'd' });
  expect((await app.atRest(run)).run.counts.completed).toBe(5);
  expect(['a', 'b', 'c', 'd', 'e'].map(starts)).toEqual([2, 2, 2, 3, 2]);
});

test('approvals of what comes after are asked for again, that of the named task is not', async () => {
  const app = await createTestApp();
  const tasks = { a: { approval: true }, b: { needs: 'a', approval: true } };
  const { run, starts } = await start(app, { tasks });
  for (const task of ['a', 'b']) {
    await app.atRest(run);
    await decide(app.store, systemClock, run, task, 'approve', me);
  }
  await app.atRest(run);
  await retryRun(app.store, systemClock, run, { from: 'a' });
  const view = await app.atRest(run);
  expect(view.run.state).toBe('blocked');
  expect(statesOf(view)).toEqual({ a: 'completed', b: 'parked' });
  await decide(app.store, systemClock, run, 'b', 'approve', me);
  expect((await app.atRest(run)).run.state).toBe('completed');
  expect(['a', 'b'].map(starts)).toEqual([2, 2]);
});

test('a gate that waited for approval waits for the task first, and asks again', async () => {
  const app = await createTestApp();
  const { run } = await start(app, { 'approve-before': [2], tasks: { a: {}, b: { needs: 'a' } } });
  await app.atRest(run);
  await pause(app.store, systemClock, { kind: 'run', run }, 'ann', '');
  await retryRun(app.store, systemClock, run, { from: 'a' });
  expect((await app.view(run)).run.state).toBe('paused');
  await expect(decide(app.store, systemClock, run, 'gate:1', 'approve', me)).rejects.toMatchObject({
    code: 'wrong_state',
  });
  await resume(app.store, { kind: 'run', run });
  await waitUntil('it asks again', async () => (await app.store.record.readMeta(run))?.state === 'blocked');
  await decide(app.store, systemClock, run, 'gate:1', 'approve', me);
  expect((await app.atRest(run)).run.state).toBe('completed');
});

test('tasks that stand in line leave it', async () => {
  const app = await createTestApp();
  const plan = testPlan({
    limits: { gpu: 1 },
    barrier: 'none',
    tasks: { a: {}, b: { needs: 'a', takes: { gpu: 1 } }, c: { takes: { gpu: 1 } } },
    defaults: { agent: 'noop' },
  });
  const { runId: run } = await app.submit(plan);
  const claim = (index: number) => app.store.record.claim({ run, index, token: `t${index}` }, 'w', 60_000);
  await claim(0);
  await app.store.record.settle({ run, index: 0, token: 't0', kind: 'completed' });
  await claim(2);
  expect((await claim(1)).kind).toBe('parked');
  await retryRun(app.store, systemClock, run, { from: 'a' });
  expect(statesOf(await app.view(run))).toEqual({ a: 'ready', b: 'pending', c: 'running' });
  expect(await app.store.redis.zcard(app.store.keys.line('res:gpu'))).toBe(0);
});

test('it is refused while something of it runs, and for a task that has not ended', async () => {
  const app = await createTestApp();
  const plan = testPlan({ tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' } }, defaults: { agent: 'noop' } });
  const { runId: run } = await app.submit(plan);
  const held = { run, index: 0, token: 't' };
  await app.store.record.claim(held, 'w', 60_000);
  await app.store.record.settle({ ...held, kind: 'completed' });
  await app.store.record.claim({ ...held, index: 1 }, 'w', 60_000);
  await expect(retryRun(app.store, systemClock, run, { from: 'a' })).rejects.toMatchObject({
    code: 'wrong_state',
    facts: { running: ['b'] },
  });
  await expect(retryRun(app.store, systemClock, run, { from: 'c' })).rejects.toMatchObject({
    code: 'wrong_state',
    facts: { state: 'pending' },
  });
  expect(statesOf(await app.view(run))).toEqual({ a: 'completed', b: 'running', c: 'pending' });
});

test('values and status files of what runs again are gone until it has', async () => {
  const app = await createTestApp();
  const { run } = await start(app, { tasks: { a: {}, b: { needs: 'a' } } });
  await app.atRest(run);
  await pause(app.store, systemClock, { kind: 'all' }, 'ann', '');
  await retryRun(app.store, systemClock, run, { from: 'a' });
  expect(await app.store.record.readFields(run, 'out', [0, 1])).toEqual([null, null]);
  await expect(app.file('workspace/status/a.json')).rejects.toThrow('ENOENT');
  await resume(app.store, { kind: 'all' });
  await app.atRest(run);
  expect(JSON.parse((await app.store.record.readFields(run, 'out', [0]))[0]!)).toEqual({ n: '1' });
});
