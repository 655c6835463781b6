import { expect, test } from 'vitest';
import type { Invocation } from '../../src/agents/agent.ts';
import { createAgents } from '../../src/agents/registry.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Handoff } from '../../src/workers/handoff.ts';
import { createTestApp, testPlan } from '../support/app.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const LARGE = 'x'.repeat(60_000);

test('a handoff holds the values of many dependencies up to a limit, and names the files of the others', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(({ task }: Invocation) => ({
    kind: 'completed',
    values: task.id === 'small' ? { answer: '42' } : { text: LARGE },
  }));
  const givers = ['small', ...Array.from({ length: 20 }, (_, at) => `large${at}`)];
  const tasks = { ...Object.fromEntries(givers.map((id) => [id, {}])), join: { needs: givers } };
  const defaults = { agent: 'scripted' };
  const { runId } = await app.submit(testPlan({ barrier: 'none', defaults, tasks }, agent.kinds));
  await app.startPool({ agents: agent.agents });
  expect((await app.atRest(runId)).run.state).toBe('completed');
  const text = await app.file('workspace/attempts/join/handoff.json');
  const { dependencies_completed: found } = (JSON.parse(text) as Handoff).context;
  expect(found.map(({ id }) => id)).toEqual(givers);
  expect(found[0]).toMatchObject({ values: { answer: '42' } });
  const named = found.filter(({ values_file: file }) => file !== undefined);
  // 17 of 20 fit into a megabyte.
  expect(named).toHaveLength(3);
  for (const { id, values, values_file: file } of named) {
    expect(values).toEqual({});
    expect(file).toContain(`attempts/${id}/output`);
  }
  expect(text.length).toBeLessThan(1.2 * 1024 * 1024);
});

test('a handoff lists the first hundred of the tasks that wait', async () => {
  const app = await createTestApp();
  const agent = createScriptedAgent(() => ({ kind: 'completed' }));
  const waiting = Object.fromEntries(
    Array.from({ length: 150 }, (_, at) => [`w${at}`, { needs: 'first', agent: 'noop' }]),
  );
  const tasks = { first: { agent: 'scripted' }, ...waiting };
  const { runId } = await app.submit(testPlan({ barrier: 'none', tasks }, new Set([...agent.kinds, 'noop'])));
  await app.startPool({ agents: new Map([...agent.agents, ...createAgents({ clock: systemClock })]) });
  await app.atRest(runId);
  const handoff = JSON.parse(await app.file('workspace/attempts/first/handoff.json')) as Handoff;
  expect(handoff.context.next_tasks).toHaveLength(100);
});
