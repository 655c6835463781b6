/**
 * Several master queues in one worker process, which share its slots.
 */
import { expect, test } from 'vitest';
import { createTestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createHeldAgent, createScriptedAgent } from '../support/scripted-agent.ts';

test('a slot that one master frees is another one’s at once, though that is at work', async () => {
  const app = await createTestApp();
  const agent = createHeldAgent();
  const submit = (tasks: Record<string, unknown>) =>
    app.submit(testPlan({ barrier: 'none', defaults: { agent: 'scripted' }, tasks }, agent.kinds));
  await submit({ long: {}, other: { master: 'security' } });
  await app.startPool({ agents: agent.agents, concurrency: 2 });
  await waitUntil('one of each master runs', () => agent.running.size === 2);
  const { runId } = await submit({ next: {} });
  agent.release('other');
  await waitUntil('the free slot is used', () => agent.running.has('next'));
  expect(agent.running).toEqual(new Set(['long', 'next']));
  for (const id of agent.running) agent.release(id);
  expect((await app.atRest(runId)).run.state).toBe('completed');
});

test('a job for which there is no room stays in its queue, where another worker finds it', async () => {
  const app = await createTestApp();
  const agent = createHeldAgent();
  const tasks = Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, { agent: 'scripted' }]));
  const { runId } = await app.submit(testPlan({ barrier: 'none', tasks }, agent.kinds));
  await app.startPool({ agents: agent.agents, concurrency: 2 });
  await waitUntil('two run', () => agent.running.size === 2);
  const queue = app.store.queues.queue('master-development');
  expect(await queue.getJobCounts('active', 'prioritized')).toEqual({ active: 2, prioritized: 2 });
  await app.startPool({ agents: agent.agents, concurrency: 2 });
  await waitUntil('all run', () => agent.running.size === 4);
  for (const id of Object.keys(tasks)) agent.release(id);
  expect((await app.atRest(runId)).run.state).toBe('completed');
});

test('attempts that are put aside and come back are each performed once, as their own task, and give their slots back', async () => {
  const app = await createTestApp({ overrides: { agents: 100, phases: { implementation: 100 } } });
  const seen: string[] = [];
  const held: (() => void)[] = [];
  const agent = createScriptedAgent(async ({ task, attempt }) => {
    seen.push(`${task.id} ${attempt}`);
    await new Promise<void>((resolve) => (task.master === 'held' ? held.push(resolve) : setImmediate(resolve)));
    const isFirst = attempt === 1 && Number(task.id.slice(1)) % 3 === 0;
    return isFirst ? { kind: 'retryable', reason: 'once more' } : { kind: 'completed' };
  });
  const names = Array.from({ length: 150 }, (_, index) => `t${index}`);
  const tasks = Object.fromEntries(names.map((name) => [name, { agent: 'scripted', retries: 2 }]));
  const submit = (master: string) =>
    app.submit(testPlan({ barrier: 'none', defaults: { master }, tasks }, agent.kinds));
  const pool = await app.startPool({ agents: agent.agents, concurrency: 8 });
  for (let round = 0; round < 3; round++) {
    seen.length = 0;
    const { runId } = await submit('development');
    expect((await app.atRest(runId)).run.counts.completed).toBe(150);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(200);
  }
  expect(pool.running).toBe(0);
  await submit('held');
  await waitUntil('every slot is used again', () => held.length === 8);
  for (const release of held) release();
});
