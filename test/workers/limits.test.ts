/**
 * Limits are never exceeded at any instant, everybody gets their turn, and nothing is held at the end.
 */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { listLimits } from '../../src/control/list-limits.ts';
import { whyTask } from '../../src/control/why.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createHeldAgent, createScriptedAgent } from '../support/scripted-agent.ts';

const DONE: Outcome = { kind: 'completed' };

async function usedLimits(app: TestApp): Promise<Record<string, string>> {
  return app.store.redis.hgetall(app.store.keys.used);
}

const many = (count: number, task: Record<string, unknown> = {}) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, { agent: 'scripted', ...task }]));

test('agents over all workers, phases and the run itself stay under their limits', async () => {
  const app = await createTestApp({ overrides: { agents: 4 } });
  let most = 0;
  const perPhase = new Map<string, number>();
  const mostPerPhase = new Map<string, number>();
  const agent = createScriptedAgent(async ({ task }) => {
    most = Math.max(most, agent.running.size);
    perPhase.set(task.phase, (perPhase.get(task.phase) ?? 0) + 1);
    mostPerPhase.set(task.phase, Math.max(mostPerPhase.get(task.phase) ?? 0, perPhase.get(task.phase)!));
    await new Promise((resolve) => setImmediate(resolve));
    perPhase.set(task.phase, perPhase.get(task.phase)! - 1);
    return DONE;
  });
  const tasks = {
    ...Object.fromEntries(Object.entries(many(20, { phase: 'validation' })).map(([id, task]) => [`v${id}`, task])),
    ...many(20, { phase: 'planning', master: 'security' }),
  };
  const { runId } = await app.submit(
    testPlan({ barrier: 'none', limits: { phases: { planning: 3 } }, tasks }, agent.kinds),
  );
  await app.startPool({ agents: agent.agents });
  await app.startPool({ agents: agent.agents });
  const view = await app.atRest(runId);
  expect(view.run.counts.completed).toBe(40);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
  expect(mostPerPhase.get('validation')).toBeLessThanOrEqual(2);
  expect(mostPerPhase.get('planning')).toBeLessThanOrEqual(3);
  expect(await usedLimits(app)).toEqual({});
});

test('a task that has to wait says what for, and starts when that is free', async () => {
  const app = await createTestApp();
  const agent = createHeldAgent();
  const plan = testPlan({ limits: { resources: { gpu: 1 } }, tasks: many(2, { takes: { gpu: 1 } }) }, agent.kinds);
  const { runId } = await app.submit(plan);
  await app.startPool({ agents: agent.agents });
  const [first] = await waitUntil('one task runs', () => (agent.running.size === 1 ? [...agent.running] : undefined));
  const parked = await waitUntil('the other is parked', async () =>
    (await app.view(runId)).tasks.find((task) => task.state === 'parked'),
  );
  expect(parked.reason).toBe('waiting for gpu');
  expect(await usedLimits(app)).toEqual({ agents: '1', 'res:gpu': '1' });
  // The phase's default of 10 is none of this run's limits: two tasks cannot reach it.
  const limits = (await listLimits(app.store)).map(({ name, used, capacity }) => [name, used, capacity]);
  expect(limits).toEqual([
    ['agents', 1, 10],
    ['gpu', 1, 1],
  ]);
  agent.release(first!);
  await waitUntil('the other runs', () => agent.running.has(parked.id));
  agent.release(parked.id);
  expect((await app.atRest(runId)).run.counts.completed).toBe(2);
  expect(await usedLimits(app)).toEqual({});
});

test("a run's own limits are counted with the run, and hold at the last of the tasks that could pass them", async () => {
  const app = await createTestApp();
  const agent = createHeldAgent();
  const tasks = { ...many(3), p: { agent: 'scripted', phase: 'planning' } };
  const limits = { agents: 3, phases: { implementation: 2, planning: 1 } };
  const { runId } = await app.submit(testPlan({ barrier: 'none', limits, tasks }, agent.kinds));
  await app.startPool({ agents: agent.agents });
  await waitUntil('three run', () => agent.running.size === 3);
  await waitUntil('the fourth waits', async () => (await app.view(runId)).run.counts.parked === 1);
  const listed = async () => (await listLimits(app.store)).map(({ name, used, capacity }) => [name, used, capacity]);
  expect(await listed()).toEqual([
    ['agents', 3, 10],
    [`agents of run ${runId}`, 3, 3],
    [`phase implementation of run ${runId}`, 2, 2],
  ]);
  while ((await app.view(runId)).run.counts.completed < 4) for (const id of agent.running) agent.release(id);
  await app.atRest(runId);
  expect(await listed()).toEqual([['agents', 0, 10]]);
});

test('those with the same place in line start in the order of the plan', async () => {
  const app = await createTestApp();
  const agent = createHeldAgent();
  const plan = testPlan({ limits: { resources: { gpu: 1 } }, tasks: many(12, { takes: { gpu: 1 } }) }, agent.kinds);
  const { runId } = await app.submit(plan);
  await app.startPool({ agents: agent.agents, concurrency: 12 });
  await waitUntil('all others are parked', async () => (await app.view(runId)).run.counts.parked === 11);
  const [gpu] = (await listLimits(app.store)).filter(({ name }) => name === 'gpu');
  expect(gpu!.waiting).toBe(11);
  const order: string[] = [];
  while (order.length < 12) {
    const next = await waitUntil('the next one runs', () => [...agent.running].find((id) => !order.includes(id)));
    order.push(next);
    const why = order.length === 5 ? await whyTask(app.store, systemClock, runId, 't11') : null;
    if (why !== null) expect(why.reasons.map(({ message }) => message).join()).toContain('6 in line before it');
    agent.release(next);
  }
  expect(order.slice(1)).toEqual(Object.keys(many(12)).filter((id) => id !== order[0]));
  expect(gpu!.next.map(({ task }) => task)).toEqual(order.slice(1, 11));
  await app.atRest(runId);
});

test('small tasks do not overtake a big one for ever', async () => {
  const app = await createTestApp();
  const agent = createHeldAgent();
  const small = many(4, { takes: { slots: 1 } });
  const tasks = { ...small, big: { agent: 'scripted', takes: { slots: 3 }, priority: 'high' } };
  const { runId } = await app.submit(testPlan({ limits: { resources: { slots: 3 } }, tasks }, agent.kinds));
  // All small ones that fit are running before the big one is seen.
  await app.store.queues.queue('master-development').pause();
  await app.startPool({ agents: agent.agents });
  await app.store.queues.queue('master-development').resume();
  await waitUntil('somebody runs', () => agent.running.size > 0);
  for (const order: string[] = []; order.length < 5; ) {
    const next = await waitUntil('the next one runs', () => [...agent.running].find((id) => !order.includes(id)));
    order.push(next);
    if (next === 'big') expect(agent.running.size).toBe(1);
    agent.release(next);
  }
  expect((await app.atRest(runId)).run.counts.completed).toBe(5);
});

test('a master is never over its cap', async () => {
  const app = await createTestApp();
  let most = 0;
  const agent = createScriptedAgent(async () => {
    most = Math.max(most, agent.running.size);
    await new Promise((resolve) => setImmediate(resolve));
    return DONE;
  });
  const { runId } = await app.submit(
    testPlan({ limits: { masters: { development: 2 } }, tasks: many(12) }, agent.kinds),
  );
  await app.startPool({ agents: agent.agents });
  await app.startPool({ agents: agent.agents });
  expect((await app.atRest(runId)).run.counts.completed).toBe(12);
  expect(most).toBeLessThanOrEqual(2);
});
