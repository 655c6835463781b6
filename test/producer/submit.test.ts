import { expect, test } from 'vitest';
import { followRun } from '../../src/control/follow-run.ts';
import type { Event } from '../../src/events/event.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';

const noop = { agent: 'noop' };

test('the same key submitted 20 times in parallel gives one run', async () => {
  const app = await createTestApp();
  const plan = testPlan({ tasks: { a: noop, b: { ...noop, needs: 'a' } } });
  const all = await Promise.all(Array.from({ length: 20 }, () => app.submit(plan, { key: 'nightly-2026-11-20' })));
  expect(new Set(all.map((one) => one.runId)).size).toBe(1);
  expect(all.filter((one) => one.created)).toHaveLength(1);
  expect(await app.store.record.listRuns(100)).toHaveLength(1);
  await app.startPool();
  expect((await app.atRest(all[0]!.runId)).run.counts.completed).toBe(2);
});

test('any word may be a key, also one of a letter', async () => {
  const app = await createTestApp();
  const plan = testPlan({ tasks: { a: noop } });
  for (const key of ['a', 'b', 'h', 'state', '0', 't0', 'x y', 'ä"\\']) {
    const first = await app.submit(plan, { key });
    expect(await app.submit(plan, { key })).toMatchObject({ runId: first.runId, created: false });
    await app.store.record.cancel(first.runId);
  }
});

test('a key that belongs to another plan is refused', async () => {
  const app = await createTestApp();
  const { runId } = await app.submit(testPlan({ tasks: { a: noop } }), { key: 'k' });
  await expect(app.submit(testPlan({ tasks: { b: noop } }), { key: 'k' })).rejects.toMatchObject({
    code: 'key_conflict',
    facts: { run: runId },
  });
});

test('two live runs never share a workspace', async () => {
  const app = await createTestApp();
  const plan = testPlan({ tasks: { a: noop } });
  const first = await app.submit(plan);
  const second = await app.submit(plan);
  expect(first.workspace).toBe('workspace');
  expect(second.workspace).toBe(`workspace-${second.runId}`);
  await expect(app.submit(plan, { workspace: 'workspace' })).rejects.toMatchObject({
    code: 'workspace_in_use',
    facts: { run: first.runId },
  });
  await app.startPool();
  await app.atRest(first.runId);
  await app.atRest(second.runId);
  expect((await app.submit(plan, { workspace: 'workspace' })).workspace).toBe('workspace');
});

async function collect(app: TestApp, run: string): Promise<Event[]> {
  const controller = new AbortController();
  const events: Event[] = [];
  for await (const event of followRun(app.store, run, { after: '0-0', signal: controller.signal })) {
    events.push(event);
    if (event.type === 'run-completed') controller.abort();
  }
  return events;
}

test('two submitters and two followers at once: each sees the whole of its run', async () => {
  const app = await createTestApp();
  const plan = testPlan({ tasks: { a: noop, b: { ...noop, needs: 'a' } } });
  const runs = await Promise.all([app.submit(plan, { workspace: 'w1' }), app.submit(plan, { workspace: 'w2' })]);
  const followers = runs.flatMap(({ runId }) => [collect(app, runId), collect(app, runId)]);
  await app.startPool();
  const seen = await Promise.all(followers);
  expect(seen[0]).toEqual(seen[1]);
  expect(seen[2]).toEqual(seen[3]);
  for (const events of seen) {
    expect(events.map((event) => event.type)).toEqual([
      'run-submitted',
      'tasks-ready',
      'run-started',
      'task-started',
      'task-completed',
      'tasks-ready',
      'task-started',
      'task-completed',
      'run-completed',
    ]);
  }
});

test('a plan of 1,000 tasks in one stage finishes, and the one task after it runs last', async () => {
  const app = await createTestApp();
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`t${index}`, noop]));
  const plan = testPlan({ tasks: { ...wide, last: { ...noop, needs: Object.keys(wide) } } });
  const { runId } = await app.submit(plan);
  await app.startPool();
  const view = await app.atRest(runId, 60_000);
  expect(view.run.counts.completed).toBe(1001);
  const last = view.tasks.at(-1)!;
  expect(view.tasks.slice(0, -1).every((task) => task.finishedAt! <= last.startedAt!)).toBe(true);
});

test('a run whose jobs were never added is picked up by the sweeper', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { flows } = app.store.queues;
  const addBulk = flows.addBulk.bind(flows);
  // As if the submitter had died between the record and the queues.
  flows.addBulk = () => Promise.reject(new Error('the submitter dies here'));
  await expect(app.submit(testPlan({ tasks: { a: noop, b: { ...noop, needs: 'a' } } }))).rejects.toThrow('dies here');
  flows.addBulk = addBulk;
  const [runId] = await app.store.record.listRuns(1);
  await app.startPool();
  expect((await app.atRest(runId!)).run.counts.completed).toBe(2);
});
