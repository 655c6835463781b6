import { expect, test } from 'vitest';
import { readOwnUse, readStatus, writeStagedStatus } from '../../src/redis/run-status.ts';
import { createTestApp, testPlan } from '../support/app.ts';

const NOTHING = {
  'n:approval': '0',
  'n:blocked': '0',
  'n:cancelled': '0',
  'n:completed': '0',
  'n:failed': '0',
  'n:gated': '0',
  'n:parked': '0',
  'n:pending': '0',
  'n:ready': '0',
  'n:running': '0',
  'n:skipped': '0',
  'n:tolerated': '0',
};

test('a status that was staged is read back', () => {
  const text = writeStagedStatus(12, true, ['phase:planning', 'agents']);
  expect(readStatus(text)).toEqual({ ...NOTHING, tasks: '12', 'n:pending': '12' });
  expect([...readOwnUse(text)]).toEqual([
    ['phase:planning', 0],
    ['agents', 0],
  ]);
  expect([...readOwnUse(writeStagedStatus(1, false, []))]).toEqual([]);
});

test.each(['', 'running', 'running 000 2', 'running 000 2 1 1\tagents 0'])('%j is no status', (text) => {
  expect(readStatus(text)).toEqual({});
});

test('the scripts count in it: states, approvals, and what is in use', async () => {
  const app = await createTestApp();
  const noop = { agent: 'noop' };
  const tasks = { a: noop, b: noop, c: { ...noop, needs: 'a' }, d: { ...noop, approval: true } };
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', limits: { agents: 2 }, tasks }));
  const status = async () => (await app.store.redis.hget(app.store.keys.run(run), 'status')) ?? '';
  expect(readStatus(await status())).toEqual({
    ...NOTHING,
    state: 'running',
    tasks: '4',
    ...{ 'n:pending': '1', 'n:ready': '2', 'n:parked': '1', 'n:approval': '1' },
  });
  for (const index of [0, 1]) await app.store.record.claim({ run, index, token: 't' }, 'w', 5000);
  expect(readStatus(await status())).toMatchObject({ 'n:ready': '0', 'n:running': '2' });
  expect([...readOwnUse(await status())]).toEqual([['agents', 2]]);
  await app.store.record.settle({ run, index: 0, token: 't', kind: 'failed', reason: 'no' });
  expect(readStatus(await status())).toMatchObject({ 'n:running': '1', 'n:failed': '1', 'n:blocked': '1' });
  expect(await app.store.record.readOwnUse(run, 'agents')).toBe(1);
});
