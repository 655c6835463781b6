/**
 * Real worker processes, real agents, real kills.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { type AgentEntry, readJournal } from '../support/journal.ts';
import { processesOf, waitUntil } from '../support/processes.ts';
import { startWorkerProcess, writeConfig } from '../support/worker-process.ts';

function journalOf(app: TestApp): { file: string; env: Record<string, string> } {
  const file = path.join(app.projectDir, 'journal.ndjson');
  return { file, env: { PLANQ_FAKE_JOURNAL: file } };
}

async function tokenOf(app: TestApp, run: string, index = 0): Promise<string> {
  return (JSON.parse((await app.store.record.readTask(run, index)) ?? '{}') as { k: string }).k;
}

async function firstStart(journal: string): Promise<AgentEntry> {
  return waitUntil('an agent has started', async () => (await readJournal(journal))[0], 15_000);
}

const fake = (options: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  agent: 'fake',
  with: options,
  ...more,
});

test('a worker killed in mid-task: its agent is gone, another worker takes the task over, nothing completes twice', async () => {
  const app = await createTestApp({ lockMs: 1500 });
  const journal = journalOf(app);
  const gate = path.join(app.projectDir, 'open');
  const { runId } = await app.submit(
    testPlan({ tasks: { long: fake({ 'wait-for': gate }), after: { agent: 'noop', needs: 'long' } } }),
  );
  const first = await startWorkerProcess(app, journal.env);
  await firstStart(journal.file);
  const token = await tokenOf(app, runId);
  const second = await startWorkerProcess(app, journal.env);
  first.child.kill('SIGKILL');
  await first.exited;
  await waitUntil("the killed worker's agent is gone", () => processesOf(token).length === 0);
  const starts = await waitUntil(
    'another agent has started',
    async () => {
      const entries = (await readJournal(journal.file)).filter((entry) => entry.event === 'start');
      return entries.length === 2 ? entries : undefined;
    },
    15_000,
  );
  expect(starts[1]!.attempt).toBe(1);
  await writeFile(gate, '');
  const view = await app.atRest(runId);
  expect(view.run.state).toBe('completed');
  expect(view.tasks[0]).toMatchObject({ state: 'completed', attempt: 1 });
  const entries = await readJournal(journal.file);
  expect(entries.filter((entry) => entry.event === 'end')).toHaveLength(1);
  second.child.kill('SIGTERM');
  expect(await second.exited).toBe(0);
});

test('SIGTERM hands a running task back without using an attempt, and the next worker goes on', async () => {
  const app = await createTestApp();
  await writeConfig(app, { times: { drain: '100ms', grace: '300ms' } });
  const journal = journalOf(app);
  const gate = path.join(app.projectDir, 'open');
  const { runId } = await app.submit(testPlan({ tasks: { long: fake({ 'wait-for': gate }) } }));
  const first = await startWorkerProcess(app, journal.env);
  await firstStart(journal.file);
  const token = await tokenOf(app, runId);
  first.child.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(processesOf(token)).toEqual([]);
  expect((await app.view(runId)).tasks[0]).toMatchObject({ state: 'ready' });
  await writeFile(gate, '');
  await startWorkerProcess(app, journal.env);
  const view = await app.atRest(runId);
  expect(view.tasks[0]).toMatchObject({ state: 'completed', attempt: 1 });
  expect(JSON.parse((await app.store.record.readTask(runId, 0)) ?? '{}').c).toBeUndefined();
});

test('cancel stops a tree that ignores SIGTERM within five seconds and leaves nothing', async () => {
  const app = await createTestApp();
  const plan = testPlan({
    tasks: {
      tree: fake({ hang: true, 'ignore-term': true, grandchildren: 3 }),
      next: { agent: 'noop', needs: 'tree' },
    },
  });
  const { runId } = await app.submit(plan);
  await app.startPool();
  const token = await waitUntil('the whole tree is there', async () => {
    const found = await tokenOf(app, runId);
    return found !== undefined && processesOf(found).length >= 4 ? found : undefined;
  });
  const startedAt = performance.now();
  const cancelled = await cancelRun(app.store, systemClock, runId, 5000);
  expect(cancelled).toMatchObject({ before: 'running', stillRunning: 0 });
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(processesOf(token)).toEqual([]);
  const view = await app.atRest(runId);
  expect(view.run.state).toBe('cancelled');
  expect(view.tasks.map((task) => task.state)).toEqual(['cancelled', 'cancelled']);
  expect(view.run.finishedAt).not.toBeNull();
});

test('a task over its timeout is stopped with its tree and fails with "Timeout"', async () => {
  const app = await createTestApp();
  const task = fake({ hang: true, 'ignore-term': true, grandchildren: 2 }, { timeout: '600ms', retries: 0 });
  const { runId } = await app.submit(testPlan({ tasks: { slow: task } }));
  await app.startPool();
  const token = await waitUntil('it runs', () => tokenOf(app, runId));
  const view = await app.atRest(runId);
  expect(view.tasks[0]).toMatchObject({ state: 'failed', reason: 'Timeout' });
  expect(processesOf(token)).toEqual([]);
  expect(JSON.parse(await app.file('workspace/status/slow.json'))).toMatchObject({
    status: 'failed',
    error: 'Timeout',
  });
});

test('a task without a sign of progress is stopped with its tree and tried again', async () => {
  const app = await createTestApp();
  await writeConfig(app, { times: { zombie: '2500ms', grace: '200ms', backoff: '20ms' } });
  const { runId } = await app.submit(
    testPlan({ tasks: { still: fake({ hang: true, grandchildren: 1 }, { retries: 1 }) } }),
  );
  await startWorkerProcess(app);
  const token = await waitUntil('it runs', () => tokenOf(app, runId));
  const view = await app.atRest(runId);
  expect(view.tasks[0]).toMatchObject({ state: 'failed', attempt: 2 });
  expect(view.tasks[0]?.reason).toMatch(/^No progress for/);
  expect(processesOf(token)).toEqual([]);
});

test.each(['claimed', 'spawned', 'verified', 'settled', 'enqueued'])(
  'a worker that dies when it has just %s a task loses nothing',
  async (point) => {
    const app = await createTestApp({ lockMs: 1000 });
    const tasks = {
      a: fake({ work: '20ms' }),
      b: fake({ work: '20ms' }, { needs: 'a' }),
      c: fake({ work: '20ms' }, { needs: 'b' }),
    };
    const { runId } = await app.submit(testPlan({ tasks }));
    const dying = await startWorkerProcess(app, { PLANQ_CRASH_AT: point });
    expect(await dying.exited).toBe('SIGKILL');
    await startWorkerProcess(app);
    const view = await app.atRest(runId);
    expect(view.run.state).toBe('completed');
    expect(view.run.counts.completed).toBe(3);
    expect(view.tasks.map((task) => task.attempt)).toEqual([1, 1, 1]);
  },
);

test('a task that ends three workers fails, and its neighbours complete', async () => {
  const app = await createTestApp({ lockMs: 1000 });
  const healthy = Object.fromEntries(
    [1, 2, 3, 4].map((index) => [`healthy${index}`, fake({ work: '300ms' }, { priority: 'low' })]),
  );
  // An agent that takes its worker for a leftover of its own, and can reach it.
  await writeConfig(app, { isolation: 'none' });
  const poison = { run: 'kill -9 $PPID', priority: 'critical' };
  const { runId } = await app.submit(testPlan({ tasks: { poison, ...healthy } }));
  let starts = 0;
  let over = false;
  const supervise = async (): Promise<void> => {
    while (!over && starts < 6) {
      starts++;
      const worker = await startWorkerProcess(app);
      await Promise.race([worker.exited, waitUntil('the test is over', () => over, 60_000)]);
    }
  };
  const supervisor = supervise();
  const view = await app.atRest(runId, 60_000);
  over = true;
  await supervisor;
  expect(view.tasks[0]).toMatchObject({ state: 'failed', reason: 'stopped 3 workers' });
  expect(view.run.counts).toMatchObject({ completed: 4, failed: 1 });
  expect(starts).toBe(4);
}, 60_000);
