/**
 * Somebody takes jobs away behind planq's back: BullMQ then runs the parents as if all had been done. The record knows better.
 */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const noop = { agent: 'noop' };
// The check makes it a run with files, so that it has a report.
const tasks = { a: noop, b: noop, c: { ...noop, needs: ['a', 'b'], check: 'true' } };

async function submitHeld(app: TestApp, barrier: string): Promise<string> {
  const { runId } = await app.submit(testPlan({ barrier, tasks }));
  return runId;
}

async function expectCompleted(app: TestApp, run: string, workspace = 'workspace'): Promise<void> {
  const view = await app.atRest(run);
  expect(view.run.state).toBe('completed');
  expect(view.run.counts.completed).toBe(3);
  await waitUntil(
    'the run job has ended',
    // Or a damaged tree was removed, with the report written.
    async () => ['completed', 'unknown'].includes(await app.store.queues.queue('runs').getJobState(run)),
    10_000,
  );
  expect(await app.file(`${workspace}/report.md`)).toContain('3 of 3 tasks completed');
}

test.each(['none', 'stage'])('a drained queue, with barrier %s', async (barrier) => {
  const app = await createTestApp({ lockMs: 600 });
  const run = await submitHeld(app, barrier);
  await app.store.queues.queue('master-development').drain(true);
  await app.startPool();
  await expectCompleted(app, run);
});

test('a removed child', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const run = await submitHeld(app, 'stage');
  await app.store.queues.queue('master-development').remove(`${run}.a`);
  await app.startPool();
  await expectCompleted(app, run);
});

test('the run job removed with all its children', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const run = await submitHeld(app, 'stage');
  await (await app.store.queues.queue('runs').getJob(run))?.remove({ removeChildren: true });
  await app.startPool();
  await expectCompleted(app, run);
});

test('script cache flushed between two inserts', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const first = await submitHeld(app, 'none');
  await app.store.redis.script('FLUSH');
  const second = await submitHeld(app, 'stage');
  await app.store.redis.script('FLUSH');
  await app.startPool();
  await expectCompleted(app, first);
  // In a workspace of its own: the first one's was in use.
  await expectCompleted(app, second, `workspace-${second}`);
});

test('a foreign job with the id of a task', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const run = await submitHeld(app, 'stage');
  // The id of the task that is not there yet; its data is not ours.
  await app.store.queues.queue('master-development').add('c', { command: 'rm -rf /' }, { jobId: `${run}.c` });
  await app.startPool();
  await expectCompleted(app, run);
});

test('a run that ends with failures gets its report, and its tree is not called damaged', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const agent = createScriptedAgent(
    ({ task }): Outcome => (task.id === 'good' ? { kind: 'completed' } : { kind: 'failed', reason: 'broken' }),
  );
  await app.startPool({ agents: agent.agents });
  const tasks = {
    bad: { agent: 'scripted' },
    worse: { agent: 'scripted' },
    good: { agent: 'scripted' },
    after: { agent: 'scripted', needs: 'bad' },
  };
  for (const barrier of ['stage', 'none']) {
    const { runId } = await app.submit(testPlan({ 'on-failure': 'continue', barrier, tasks }, agent.kinds), {
      workspace: barrier,
    });
    expect((await app.atRest(runId)).run.state).toBe('failed');
    await waitUntil(
      'the run job has ended',
      async () => (await app.store.queues.queue('runs').getJobState(runId)) === 'completed',
    );
    expect(await app.file(`${barrier}/report.md`)).toContain('**failed**');
  }
  expect(app.warnings).toEqual([]);
});
