import { expect, test } from 'vitest';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, testPlan } from '../support/app.ts';
import { announceIdle } from '../support/fleet.ts';

// The check makes it a run with files, so that it has a report.
const plan = testPlan({ tasks: { a: {}, b: { check: 'true' } }, defaults: { agent: 'noop' } });

test('where no worker lives, a cancel settles the tasks of dead ones itself', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(plan);
  await app.store.record.claim({ run, index: 0, token: 'dead' }, 'w', 200);
  // Its entry outlives the worker; the process is gone.
  await announceIdle(app, { pid: 2 ** 22 + 1 });
  expect(await cancelRun(app.store, systemClock, run, 5000)).toEqual({
    runId: run,
    before: 'running',
    stillRunning: 0,
  });
  const view = await app.view(run);
  expect(await app.file('workspace/report.md')).toContain('**cancelled**, 0 of 2 tasks completed, 2 cancelled');
  expect(view.run).toMatchObject({ state: 'cancelled', finishedAt: expect.any(String), counts: { cancelled: 2 } });
});

test('a lease that lives is left to its worker', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(plan);
  await app.store.record.claim({ run, index: 0, token: 'slow' }, 'w', 60_000);
  expect(await cancelRun(app.store, systemClock, run, 100)).toMatchObject({ stillRunning: 1 });
  expect((await app.view(run)).tasks[0]?.state).toBe('running');
  await expect(app.file('workspace/report.md')).rejects.toThrow('ENOENT');
});

test('where a worker lives, the report is left to it', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(plan);
  await announceIdle(app);
  await cancelRun(app.store, systemClock, run, 100);
  await expect(app.file('workspace/report.md')).rejects.toThrow('ENOENT');
});
