/**
 * What people do to a run, on a real Redis with agents that the test scripts.
 */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { decide } from '../../src/control/decide.ts';
import { readGateNames, readWantedGates } from '../../src/control/find-run.ts';
import { listLimits } from '../../src/control/list-limits.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import { pause, resume, skipTask } from '../../src/control/steer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, statesOf, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const DONE: Outcome = { kind: 'completed' };
const FAIL: Outcome = { kind: 'retryable', reason: 'Exit code 1', exitCode: 1 };
const me = { by: 'ann', comment: 'looks good' };

async function start(app: TestApp, document: Record<string, unknown>, failing: string[] = []) {
  const agent = createScriptedAgent(({ task }) => (failing.includes(task.id) ? FAIL : DONE));
  const plan = testPlan({ ...document, defaults: { agent: 'scripted', retries: 0 } }, agent.kinds);
  const { runId } = await app.submit(plan);
  return { run: runId, agent, begin: () => app.startPool({ agents: agent.agents }) };
}

const stateOf = (app: TestApp, run: string, task: string) => async () => statesOf(await app.view(run))[task];

test.each([
  ['everything', { kind: 'all' as const }],
  ['a master', { kind: 'master' as const, master: 'development' }],
])('pausing %s parks what would start, and resuming wakes it', async (_what, target) => {
  const app = await createTestApp();
  const { run, agent, begin } = await start(app, { tasks: { a: {}, b: { needs: 'a' } } });
  await pause(app.store, systemClock, target, 'ann', 'lunch');
  await begin();
  await waitUntil('it is parked', async () => (await stateOf(app, run, 'a')()) === 'parked');
  expect((await app.view(run)).tasks[0]?.reason).toBe('paused');
  expect(agent.journal).toEqual([]);
  expect(await resume(app.store, target)).toMatchObject({ wasHeld: true });
  expect((await app.atRest(run)).run.counts.completed).toBe(2);
});

test.each(['stage', 'phase'])(
  'a gate that waits for a person is found by whoever comes later, with barrier %s',
  async (barrier) => {
    const app = await createTestApp();
    const tasks = { a: { phase: 'analysis' }, b: { phase: 'planning', needs: 'a' } };
    const before = barrier === 'stage' ? 2 : 'planning';
    const { run, begin } = await start(app, { barrier, 'approve-before': [before], tasks });
    const gates = await readGateNames(app.store, run);
    expect(await readWantedGates(app.store, run, gates)).toEqual([]);
    await begin();
    await app.atRest(run);
    expect(await readWantedGates(app.store, run, gates)).toEqual(['gate:1']);
    await decide(app.store, systemClock, run, 'gate:1', 'approve', me);
    expect(await readWantedGates(app.store, run, gates)).toEqual([]);
  },
);

test('a paused run says so, and other runs go on', async () => {
  const app = await createTestApp();
  const first = await start(app, { tasks: { a: {} } });
  await pause(app.store, systemClock, { kind: 'run', run: first.run }, 'ann', '');
  expect((await app.view(first.run)).run.state).toBe('paused');
  const second = await start(app, { name: 'other', tasks: { a: {} } });
  await app.startPool({ agents: second.agent.agents });
  await app.atRest(second.run);
  await waitUntil('the first is parked', async () => (await stateOf(app, first.run, 'a')()) === 'parked');
  await resume(app.store, { kind: 'run', run: first.run });
  expect((await app.atRest(first.run)).run.state).toBe('completed');
  await expect(pause(app.store, systemClock, { kind: 'run', run: first.run }, 'ann', '')).rejects.toMatchObject({
    code: 'wrong_state',
  });
  await expect(
    pause(app.store, systemClock, { kind: 'master', master: 'develpment' }, 'ann', ''),
  ).rejects.toMatchObject({
    code: 'usage',
    hint: 'did you mean "development"?',
  });
});

test.each(['none', 'stage', 'phase'])(
  'skipping a failed task lets what it blocked go on, with barrier %s',
  async (barrier) => {
    const app = await createTestApp();
    const { run, begin } = await start(
      app,
      { barrier, tasks: { bad: {}, good: {}, next: { needs: ['bad', 'good'] }, last: { needs: 'next' } } },
      ['bad'],
    );
    await begin();
    expect((await app.atRest(run)).run.state).toBe('blocked');
    expect(await skipTask(app.store, systemClock, run, 'bad', 'ann')).toMatchObject({ before: 'failed' });
    const view = await app.atRest(run);
    expect(view.run.state).toBe('completed');
    expect(statesOf(view)).toEqual({ bad: 'skipped', good: 'completed', next: 'completed', last: 'completed' });
    expect(view.tasks[0]?.reason).toBe('skipped by ann');
    await waitUntil(
      'the run job has ended',
      async () => (await app.store.queues.queue('runs').getJobState(run)) === 'completed',
      10_000,
    );
  },
);

test('skipping a task that has not started, and one that cannot be skipped', async () => {
  const app = await createTestApp();
  const { run, agent, begin } = await start(app, {
    barrier: 'none',
    tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' } },
  });
  await skipTask(app.store, systemClock, run, 'b', 'ann');
  await begin();
  const view = await app.atRest(run);
  expect(statesOf(view)).toEqual({ a: 'completed', b: 'skipped', c: 'completed' });
  expect(agent.journal.map((entry) => entry.task)).not.toContain('b');
  await expect(skipTask(app.store, systemClock, run, 'a', 'ann')).rejects.toMatchObject({ code: 'wrong_state' });
});

test('a task marked for approval waits without a worker, and starts when it is approved', async () => {
  const app = await createTestApp();
  const { run, begin } = await start(app, {
    barrier: 'none',
    tasks: { build: {}, deploy: { needs: 'build', approval: true }, after: { needs: 'deploy' } },
  });
  await begin();
  const waiting = await app.atRest(run);
  expect(waiting.run.state).toBe('blocked');
  expect(waiting.tasks[1]).toMatchObject({ state: 'parked', reason: 'waiting for approval' });
  expect(await app.store.redis.hgetall(app.store.keys.used)).toEqual({});
  await expect(decide(app.store, systemClock, run, 'build', 'approve', me)).rejects.toMatchObject({
    code: 'wrong_state',
  });
  await decide(app.store, systemClock, run, 'deploy', 'approve', me);
  const view = await app.atRest(run);
  expect(view.run.state).toBe('completed');
  const decision = await app.store.redis.hget(app.store.keys.run(run, 'decisions'), '1');
  expect(JSON.parse(decision ?? '')).toMatchObject({ by: 'ann', comment: 'looks good', at: expect.any(Number) });
});

test('a rejected task fails with who and why, blocks what needs it, and can be retried', async () => {
  const app = await createTestApp();
  const { run, begin } = await start(app, { tasks: { deploy: { approval: true }, after: { needs: 'deploy' } } });
  await begin();
  await app.atRest(run);
  await decide(app.store, systemClock, run, 'deploy', 'reject', { by: 'ann', comment: 'not today' });
  const view = await app.atRest(run);
  expect(view.tasks[0]).toMatchObject({ state: 'failed', reason: 'rejected by ann: not today' });
  expect(view.tasks[1]).toMatchObject({ state: 'blocked', blockedBy: ['deploy'] });
  await retryRun(app.store, systemClock, run);
  expect((await app.atRest(run)).run.state).toBe('completed');
});

test.each(['stage', 'phase'])('a gate waits for approval before a %s opens', async (barrier) => {
  const app = await createTestApp();
  const before = barrier === 'stage' ? 2 : 'implementation';
  const tasks = { plan: { phase: 'planning' }, build: { phase: 'implementation', needs: 'plan' } };
  const { run, begin } = await start(app, { barrier, 'approve-before': [before], tasks });
  await begin();
  const waiting = await app.atRest(run);
  expect(waiting.run.state).toBe('blocked');
  expect(statesOf(waiting)).toEqual({ plan: 'completed', build: 'pending' });
  await decide(app.store, systemClock, run, 'gate:1', 'reject', me);
  expect(statesOf(await app.atRest(run))).toEqual({ plan: 'completed', build: 'blocked' });
  await decide(app.store, systemClock, run, 'gate:1', 'approve', me);
  expect((await app.atRest(run)).run.state).toBe('completed');
});

test('on-failure continue: the run ends with its failures, as failed', async () => {
  const app = await createTestApp();
  const { run, begin } = await start(
    app,
    { 'on-failure': 'continue', barrier: 'none', tasks: { bad: {}, next: { needs: 'bad' }, other: {} } },
    ['bad'],
  );
  await begin();
  const view = await app.atRest(run);
  expect(view.run).toMatchObject({ state: 'failed', finishedAt: expect.any(String) });
  expect(statesOf(view)).toEqual({ bad: 'failed', next: 'blocked', other: 'completed' });
});

test('on-failure cancel: a failure stops the rest', async () => {
  const app = await createTestApp();
  const tasks = { bad: { priority: 'critical' }, next: { needs: 'bad' }, later: { needs: 'slow' }, slow: {} };
  const agent = createScriptedAgent(async ({ task, signal }): Promise<Outcome> => {
    if (task.id === 'bad') return FAIL;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return { kind: 'cancelled', reason: 'cancelled' };
  });
  const plan = testPlan(
    { 'on-failure': 'cancel', barrier: 'none', tasks, defaults: { agent: 'scripted', retries: 0 } },
    agent.kinds,
  );
  const { runId } = await app.submit(plan);
  await app.startPool({ agents: agent.agents });
  const view = await app.atRest(runId);
  expect(view.run.state).toBe('failed');
  expect(statesOf(view)).toEqual({ bad: 'failed', next: 'cancelled', later: 'cancelled', slow: 'cancelled' });
});

test('limits are listed with who holds them and who waits', async () => {
  const app = await createTestApp();
  let release = (): void => undefined;
  const agent = createScriptedAgent(
    () =>
      new Promise<Outcome>((resolve) => {
        release = () => resolve(DONE);
      }),
  );
  const task = { agent: 'scripted', takes: { gpu: 1 } };
  const { runId } = await app.submit(
    testPlan({ limits: { resources: { gpu: 1 } }, tasks: { a: task, b: task } }, agent.kinds),
  );
  await app.startPool({ agents: agent.agents });
  await waitUntil(
    'one runs and one waits',
    async () => agent.running.size === 1 && (await app.view(runId)).run.counts.parked === 1,
  );
  const gpu = (await listLimits(app.store)).find((limit) => limit.name === 'gpu');
  const [running] = agent.running;
  expect(gpu).toEqual({
    name: 'gpu',
    capacity: 1,
    used: 1,
    holders: [{ run: runId, task: running, amount: 1 }],
    waiting: 1,
    next: [{ run: runId, task: running === 'a' ? 'b' : 'a' }],
  });
  release();
  await waitUntil('the other runs', () => agent.running.size === 1 && !agent.running.has(running!));
  release();
  await app.atRest(runId);
});
