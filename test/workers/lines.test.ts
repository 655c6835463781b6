/**
 * Several master queues in one worker process, which share its slots.
 */
import { expect, test } from 'vitest';
import { createTestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createHeldAgent } from '../support/scripted-agent.ts';

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
