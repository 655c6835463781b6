/**
 * What runs, in which order, and what becomes of the rest: the scheduler on a real Redis with agents that the test scripts.
 */
import { expect, test } from 'vitest';
import type { Invocation, Outcome } from '../../src/agents/agent.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import { whyTask } from '../../src/control/why.ts';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, statesOf, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const DONE: Outcome = { kind: 'completed' };
const FAIL: Outcome = { kind: 'retryable', reason: 'Exit code 1', exitCode: 1 };

type Scripted = ReturnType<typeof createScriptedAgent>;

async function runPlan(app: TestApp, agent: Scripted, document: Record<string, unknown>): Promise<string> {
  const { runId } = await app.submit(
    testPlan({ ...document, defaults: { agent: 'scripted', retries: 0 } }, agent.kinds),
  );
  await app.startPool({ agents: agent.agents });
  return runId;
}

const failing =
  (...ids: string[]) =>
  (invocation: Invocation): Outcome =>
    ids.includes(invocation.task.id) ? FAIL : DONE;

test('a failure blocks everything that depends on it, however far, and nothing else', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(failing('a'));
  const run = await runPlan(app, agent, {
    tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' }, d: {}, e: { needs: 'd' }, f: { needs: ['c', 'e'] } },
  });
  const view = await app.atRest(run);
  expect(view.run.state).toBe('blocked');
  expect(statesOf(view)).toEqual({
    a: 'failed',
    b: 'blocked',
    c: 'blocked',
    d: 'completed',
    e: 'completed',
    f: 'blocked',
  });
  expect(view.tasks.filter((task) => task.state === 'blocked').map((task) => task.blockedBy)).toEqual([
    ['a'],
    ['a'],
    ['a'],
  ]);
  expect(view.run.counts).toMatchObject({ total: 6, failed: 1, blocked: 3, completed: 2, pending: 0 });
});

test('a stage starts when everything before it has ended', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(() => DONE);
  const run = await runPlan(app, agent, {
    barrier: 'stage',
    tasks: { a: {}, b: {}, c: { needs: 'a' }, d: { needs: 'b' } },
  });
  expect((await app.atRest(run)).run.state).toBe('completed');
  const order = agent.journal.map((entry) => `${entry.kind} ${entry.task}`);
  const firstOfStage2 = Math.min(order.indexOf('start c'), order.indexOf('start d'));
  expect(firstOfStage2).toBeGreaterThan(order.indexOf('end a'));
  expect(firstOfStage2).toBeGreaterThan(order.indexOf('end b'));
});

test('a phase opens only when every task of the phase before it completed', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(failing('a2'));
  const run = await runPlan(app, agent, {
    barrier: 'phase',
    tasks: {
      a1: { phase: 'analysis' },
      a2: { phase: 'analysis' },
      p1: { phase: 'planning', needs: 'a1' },
      always: { phase: 'planning', needs: [{ task: 'a2', when: 'done' }] },
    },
  });
  const view = await app.atRest(run);
  expect(statesOf(view)).toEqual({ a1: 'completed', a2: 'failed', p1: 'blocked', always: 'completed' });
  expect(view.tasks[2]?.blockedBy).toEqual(['a2']);
});

test('conditions: done runs in any case, failed only after a failure, else it is skipped', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(failing('bad'));
  const run = await runPlan(app, agent, {
    barrier: 'none',
    tasks: {
      bad: {},
      good: {},
      cleanup: { needs: [{ task: 'bad', when: 'done' }] },
      alarm: { needs: [{ task: 'bad', when: 'failed' }] },
      quiet: { needs: [{ task: 'good', when: 'failed' }] },
      'after-quiet': { needs: 'quiet' },
    },
  });
  const view = await app.atRest(run);
  expect(statesOf(view)).toEqual({
    bad: 'failed',
    good: 'completed',
    cleanup: 'completed',
    alarm: 'completed',
    quiet: 'skipped',
    'after-quiet': 'skipped',
  });
});

test('a tolerated failure lets its dependents go and the run complete', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(failing('shaky'));
  const run = await runPlan(app, agent, { tasks: { shaky: { 'continue-on-error': true }, after: { needs: 'shaky' } } });
  const view = await app.atRest(run);
  expect(view.run.state).toBe('completed');
  expect(statesOf(view)).toEqual({ shaky: 'failed', after: 'completed' });
});

test('a failed attempt is retried as often as the plan says, and the exit code is kept', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent((invocation) => (invocation.attempt < 3 ? FAIL : DONE));
  const plan = testPlan({ tasks: { a: { agent: 'scripted' } } }, agent.kinds);
  const { runId } = await app.submit(plan);
  await app.startPool({ agents: agent.agents });
  const view = await app.atRest(runId);
  expect(view.tasks[0]).toMatchObject({ state: 'completed', attempt: 3, exitCode: 0, reason: null });
  expect(agent.journal.filter((entry) => entry.kind === 'start')).toHaveLength(3);
});

test.each(['stage', 'phase', 'none'])('retry resumes where the run stopped, with barrier %s', async (barrier) => {
  const app = await createTestApp();
  let healed = false;
  const agent = createScriptedAgent((invocation) => (invocation.task.id === 'b' && !healed ? FAIL : DONE));
  const run = await runPlan(app, agent, {
    barrier,
    tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'a' }, d: { needs: 'b' }, e: { needs: ['c', 'd'] } },
  });
  const blocked = await app.atRest(run);
  expect(blocked.run.state).toBe('blocked');
  expect(statesOf(blocked)).toMatchObject({ a: 'completed', b: 'failed', c: 'completed', d: 'blocked', e: 'blocked' });
  healed = true;
  const { retried } = await retryRun(app.store, systemClock, run);
  expect(retried).toEqual(['b']);
  const view = await app.atRest(run);
  expect(view.run.state).toBe('completed');
  const starts = agent.journal.filter((entry) => entry.kind === 'start').map((entry) => entry.task);
  expect(starts.sort()).toEqual(['a', 'b', 'b', 'c', 'd', 'e']);
  expect(view.run.counts).toMatchObject({ total: 5, completed: 5, blocked: 0, failed: 0, ready: 0, pending: 0 });
});

test('retrying one of two failures leaves what the other one blocks', async () => {
  const app = await createTestApp();
  const healed = new Set<string>();
  const agent = createScriptedAgent(({ task }) => (task.id.startsWith('bad') && !healed.has(task.id) ? FAIL : DONE));
  const run = await runPlan(app, agent, {
    barrier: 'none',
    tasks: { bad1: {}, bad2: {}, x: { needs: 'bad1' }, y: { needs: 'bad2' }, both: { needs: ['x', 'y'] } },
  });
  const before = await app.atRest(run);
  expect(before.tasks[4]?.blockedBy).toEqual(['bad1', 'bad2']);
  healed.add('bad1');
  await retryRun(app.store, systemClock, run, { task: 'bad1' });
  const after = await app.atRest(run);
  expect(after.run.state).toBe('blocked');
  expect(statesOf(after)).toEqual({ bad1: 'completed', bad2: 'failed', x: 'completed', y: 'blocked', both: 'blocked' });
  expect(after.tasks[4]?.blockedBy).toEqual(['bad2']);
});

test('a failed task whose condition cannot be met any more is skipped by a retry', async () => {
  const app = await createTestApp();
  let healed = false;
  const agent = createScriptedAgent(({ task }) => (task.id === 'rollback' || !healed ? FAIL : DONE));
  const tasks = { deploy: {}, rollback: { needs: [{ task: 'deploy', when: 'failed' }] } };
  const run = await runPlan(app, agent, { barrier: 'none', tasks });
  expect(statesOf(await app.atRest(run))).toEqual({ deploy: 'failed', rollback: 'failed' });
  healed = true;
  await retryRun(app.store, systemClock, run, { task: 'deploy' });
  await app.atRest(run);
  await retryRun(app.store, systemClock, run);
  const view = await app.atRest(run);
  expect(view.run.state).toBe('completed');
  expect(statesOf(view)).toEqual({ deploy: 'completed', rollback: 'skipped' });
});

test('a failed job that somebody retries in BullMQ runs again, and so does what waits for it', async () => {
  const app = await createTestApp();
  let isHealed = false;
  const agent = createScriptedAgent(({ task }) => (task.id === 'a' && !isHealed ? FAIL : DONE));
  const run = await runPlan(app, agent, { tasks: { a: {}, b: { needs: 'a' } } });
  expect((await app.atRest(run)).run.state).toBe('blocked');
  const queue = app.store.queues.queue('master-development');
  const press = async (): Promise<void> => {
    await waitUntil('its job has failed', async () => (await queue.getJobState(`${run}.a`)) === 'failed');
    await (await queue.getJob(`${run}.a`))?.retry('failed');
  };
  await press();
  const starts = (): number => agent.journal.filter(({ kind }) => kind === 'start').length;
  await waitUntil('it has run again', () => starts() === 2);
  expect((await app.atRest(run)).run.state).toBe('blocked');
  isHealed = true;
  await press();
  await waitUntil('the run has completed', async () => (await app.view(run)).run.state === 'completed');
  expect(agent.journal.filter(({ kind }) => kind === 'start').map(({ task }) => task)).toEqual(['a', 'a', 'a', 'b']);
});

test('a failed job that comes back because its worker died does not run again', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ defaults: { agent: 'noop', retries: 0 }, tasks: { a: {} } }));
  const holding = { run, index: 0, token: 't1' };
  expect((await app.store.record.claim(holding, 'w', 1000, { isPressed: true })).kind).toBe('run');
  await app.store.record.settle({ ...holding, kind: 'failed', reason: 'Exit code 1' });
  // As BullMQ hands it out again, without and with an attempt of its own that went wrong.
  const again = { ...holding, token: 't2' };
  expect((await app.store.record.claim(again, 'w', 1000, { isPressed: true })).kind).toBe('settled');
  expect((await app.store.record.claim(again, 'w', 1000, { attemptsMade: 1 })).kind).toBe('settled');
  expect((await app.store.record.claim(again, 'w', 1000, { attemptsMade: 1, isPressed: true })).kind).toBe('again');
});

test('a task that stopped two workers is not running while it waits to run alone', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ defaults: { agent: 'noop' }, tasks: { a: {} } }));
  const { record } = app.store;
  const stateOf = async (): Promise<string> => parseTaskRecord(await record.readTask(run, 0)).s;
  for (const token of ['t1', 't2']) {
    expect((await record.claim({ run, index: 0, token }, 'w', 1)).kind).toBe('run');
    const isRescued = async (): Promise<boolean> => {
      await record.sweep(60_000);
      return (await stateOf()) === 'ready';
    };
    await waitUntil('its lease has run out', isRescued);
  }
  expect(await record.claim({ run, index: 0, token: 't3' }, 'w', 1000)).toEqual({ kind: 'suspect', crashes: 2 });
  expect(await stateOf()).toBe('ready');
  const { reasons } = await whyTask(app.store, systemClock, run, 'a');
  expect(reasons.map(({ code }) => code)).toEqual(['alone', 'no-worker']);
  await app.startPool();
  expect((await app.atRest(run)).run.state).toBe('completed');
  expect(app.warnings).toContain('a task that stopped workers runs alone');
});

test('what cannot be retried is refused with its state', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(() => DONE);
  const run = await runPlan(app, agent, { tasks: { a: {} } });
  await app.atRest(run);
  await expect(retryRun(app.store, systemClock, run)).rejects.toMatchObject({ code: 'wrong_state' });
  await expect(retryRun(app.store, systemClock, run, { task: 'a' })).rejects.toMatchObject({
    code: 'wrong_state',
    facts: { state: 'completed' },
  });
  await expect(retryRun(app.store, systemClock, run, { task: 'aa' })).rejects.toMatchObject({
    code: 'task_not_found',
    hint: 'did you mean "a"?',
  });
  await expect(retryRun(app.store, systemClock, 'nosuchrun')).rejects.toMatchObject({ code: 'run_not_found' });
});
