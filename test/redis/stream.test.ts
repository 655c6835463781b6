/** Events and the entries of the stream that they stand in. */
import { expect, test } from 'vitest';
import { readEntries, readRange, splitEntry } from '../../src/redis/stream.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';

const noop = { agent: 'noop' };

async function all(app: TestApp, from: { since: number } | { after: string } = { since: 0 }) {
  const found = [];
  for await (const entry of readRange(app.store.redis, app.store.keys.events, from)) found.push(entry);
  return found;
}

/** Claims at once what the runs' only tasks are, so that one script tells of all of them. */
async function claimTogether(app: TestApp, count: number): Promise<string[]> {
  const runs = await Promise.all(
    Array.from({ length: count }, async () => (await app.submit(testPlan({ tasks: { a: noop } }))).runId),
  );
  await Promise.all(runs.map((run) => app.store.record.claim({ run, index: 0, token: run }, 'w', 5000)));
  return runs;
}

test('what is told in one script stands in few entries, and every event has an id of its own, in order', async () => {
  const app = await createTestApp();
  const runs = await claimTogether(app, 5);
  const raw = await app.store.redis.xrange(app.store.keys.events, '-', '+');
  const events = await all(app);
  // A run's submit tells of two things; the claims of ten, in entries of at most eight.
  expect(raw.map((entry) => splitEntry(entry).length)).toEqual([2, 2, 2, 2, 2, 8, 2]);
  expect(events.filter(({ fields }) => fields.type === 'task-started').map(({ fields }) => fields.run)).toEqual(runs);
  expect(events.find(({ fields }) => fields.type === 'task-started')?.fields).toEqual({
    run: runs[0],
    type: 'task-started',
    task: '0',
    attempt: '1',
    worker: 'w',
  });
  const places = events.map(({ id }) => id.split('-').map(Number) as [number, number]);
  expect([...places].sort(([a, b], [c, d]) => a - c || b - d)).toEqual(places);
  expect(new Set(events.map(({ id }) => id)).size).toBe(20);
  // The first entry of a millisecond leaves room for as many events as an entry may have.
  const firsts = new Map(raw.map(([id]) => id.split('-') as [string, string]).reverse());
  expect([...firsts.values()].every((number) => number === '8')).toBe(true);
});

test('reading goes on after any event, also in the middle of an entry', async () => {
  const app = await createTestApp();
  await claimTogether(app, 5);
  const events = await all(app);
  for (const [at, { id }] of events.entries()) {
    expect(await all(app, { after: id })).toEqual(events.slice(at + 1));
    if (at + 1 < events.length)
      expect(await readEntries(app.store.redis, app.store.keys.events, id, 1)).toEqual(events.slice(at + 1));
  }
});

test('a clock that went back, and a stream that somebody emptied, use no id twice', async () => {
  const app = await createTestApp();
  const { redis, keys } = app.store;
  const ahead = Date.now() + 3_600_000;
  await redis.xadd(keys.events, `${ahead}-7`, 'e', 'nobody\tlater');
  await claimTogether(app, 1);
  expect((await all(app)).map(({ id }) => id)).toEqual([7, 9, 10, 11, 12].map((number) => `${ahead}-${number}`));
  await redis.xtrim(keys.events, 'MAXLEN', 0);
  await claimTogether(app, 1);
  expect((await all(app)).map(({ id }) => id)).toEqual([13, 14, 15, 16].map((number) => `${ahead}-${number}`));
});

test('of a stream that is emptied again and again a reader misses nothing', async () => {
  const app = await createTestApp({ overrides: { agents: 1000 } });
  const { redis, keys } = app.store;
  const submit = async () => (await app.submit(testPlan({ tasks: { a: noop } }))).runId;
  const claim = (run: string) => app.store.record.claim({ run, index: 0, token: run }, 'w', 5000);
  for (let round = 0; round < 20; round++) {
    const runs = await Promise.all(Array.from({ length: 5 }, submit));
    await claim(runs[0]!);
    const last = (await all(app)).at(-1)!.id;
    await redis.xtrim(keys.events, 'MAXLEN', 0);
    await Promise.all(runs.slice(1).map(claim));
    const told = (await all(app, { after: last })).filter(({ fields }) => fields.type === 'task-started');
    expect(told.map(({ fields }) => fields.run)).toEqual(runs.slice(1));
  }
});

test('a value may hold what stands between values', async () => {
  const app = await createTestApp();
  const [run = ''] = await claimTogether(app, 1);
  const held = { run, index: 0, token: run };
  await app.store.record.settle({ ...held, kind: 'failed', reason: 'a\ttask\n7\tcompleted' });
  const failed = (await all(app)).filter(({ fields }) => fields.type === 'task-failed');
  expect(failed).toMatchObject([{ fields: { run, task: '0', reason: 'a task 7 completed' } }]);
});
