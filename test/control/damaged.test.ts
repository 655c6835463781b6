/** Runs whose stored definitions are no tasks any more. */
import { expect, test } from 'vitest';
import { exportRun } from '../../src/control/export-run.ts';
import { showRunDetails } from '../../src/control/show-run.ts';
import { showTask } from '../../src/control/show-task.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';

const plan = testPlan({
  defaults: { agent: 'noop' },
  tasks: { a: {}, 'b/two': { needs: 'a' }, c: { needs: 'b/two' } },
});

async function withDefinition(text: string | null): Promise<{ app: TestApp; run: string }> {
  const app = await createTestApp();
  const { runId: run } = await app.submit(plan);
  const key = app.store.keys.run(run);
  if (text === null) await app.store.redis.hdel(key, 'f1');
  else await app.store.redis.hset(key, 'f1', text);
  return { app, run };
}

test.each(['null', '7', '"b"', '[]', '{}', '{"id":"b/two","needs":[null]}', 'no JSON', '', null])(
  'a definition that is %j is shown as damaged, and the other tasks as they are',
  async (text) => {
    const { app, run } = await withDefinition(text);
    const view = await showRunDetails(app.store, run);
    expect(view.tasks.map(({ id, damaged, reason }) => [id, damaged ?? false, reason])).toEqual([
      ['a', false, null],
      ['b/two', true, 'Its definition in Redis is damaged'],
      ['c', false, null],
    ]);
    expect(view.tasks[1]).toMatchObject({ state: 'pending', stage: 2, master: 'development', needs: [] });
    await expect(showTask(app.store, run, 'b/two')).rejects.toMatchObject({ code: 'record_damaged' });
    expect((await showTask(app.store, run, 'c')).task.id).toBe('c');
    const { tasks } = await exportRun(app.store, run);
    expect(tasks.map(({ definition }) => definition?.id ?? null)).toEqual(['a', null, 'c']);
  },
);

test('where the node is gone too, its number names the task', async () => {
  const { app, run } = await withDefinition('{}');
  await app.store.redis.hset(app.store.keys.run(run), '1', '[1]');
  expect((await showRunDetails(app.store, run)).tasks[1]).toMatchObject({ id: 'task 1', stage: 1, damaged: true });
});
