import { expect, test } from 'vitest';
import { describeLogs, readKeptTail } from '../../src/control/read-log.ts';
import { showTask } from '../../src/control/show-task.ts';
import { createTestApp, testPlan } from '../support/app.ts';

test('where a task has no output, those that have are named', async () => {
  const app = await createTestApp();
  const silent = { run: 'true' };
  const tasks = { silent, ...Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`t${at}`, { run: 'echo x' }])) };
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', tasks }));
  expect(await describeLogs(app.store, run)).toBe(`no task of run ${run} has written anything`);
  await expect(readKeptTail(app.store, await showTask(app.store, run, 'silent'))).rejects.toMatchObject({
    code: 'log_not_found',
    hint: expect.stringContaining(`planq logs ${run} silent -f"; no task of run ${run} has written anything`),
  });
  await app.startPool();
  await app.atRest(run);
  await expect(readKeptTail(app.store, await showTask(app.store, run, 'silent'))).rejects.toMatchObject({
    hint: 'it wrote nothing; tasks with output: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and more',
  });
});
