/**
 * Redis refuses, is away, or comes back empty-handed, while real work goes on.
 */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { openConnection } from '../../src/redis/connection.ts';
import { createTestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

function createHeld() {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const agent = createScriptedAgent(async (): Promise<Outcome> => {
    await held;
    return { kind: 'completed' };
  });
  return { ...agent, release };
}

const document = {
  barrier: 'none',
  tasks: { a: {}, b: {}, c: { needs: ['a', 'b'] } },
  defaults: { agent: 'scripted' },
};

test('a Redis without memory for a while: what was done meanwhile is kept and not done again', async () => {
  const server = await startRedisServer();
  onTestFinished(server.stop);
  const app = await createTestApp({ redisUrl: server.socket, lockMs: 5000 });
  const agent = createHeld();
  const { runId } = await app.submit(testPlan(document, agent.kinds));
  await app.startPool({ agents: agent.agents });
  await waitUntil('both run', () => agent.running.size === 2);
  const operator = await openConnection({ url: server.socket });
  onTestFinished(() => operator.disconnect());
  await operator.config('SET', 'maxmemory', '1');
  agent.release();
  await waitUntil('the refusal was told', () => app.warnings.some((warning) => warning.includes('OOM')), 10_000);
  expect(app.warnings.filter((warning) => warning.includes('OOM')).length).toBeLessThan(10);
  await operator.config('SET', 'maxmemory', '0');
  const view = await app.atRest(runId, 30_000);
  expect(view.run.counts.completed).toBe(3);
  expect(agent.journal.filter((entry) => entry.kind === 'start')).toHaveLength(3);
});

test('a Redis that stands still for longer than a few commands: work goes on when it is back', async () => {
  const server = await startRedisServer();
  onTestFinished(server.stop);
  const app = await createTestApp({ redisUrl: server.socket, lockMs: 20_000 });
  const agent = createHeld();
  const { runId } = await app.submit(testPlan(document, agent.kinds));
  await app.startPool({ agents: agent.agents });
  await waitUntil('both run', () => agent.running.size === 2);
  execFileSync('kill', ['-STOP', String(server.pid)]);
  onTestFinished(() => {
    // It may have ended with the test.
    try {
      process.kill(server.pid, 'SIGCONT');
    } catch {}
  });
  agent.release();
  await waitUntil('the agents have ended', () => agent.running.size === 0);
  execFileSync('kill', ['-CONT', String(server.pid)]);
  const view = await app.atRest(runId, 30_000);
  expect(view.run.counts.completed).toBe(3);
  expect(agent.journal.filter((entry) => entry.kind === 'start')).toHaveLength(3);
});
