import { expect, test } from 'vitest';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { decide } from '../../src/control/decide.ts';
import { listInbox } from '../../src/control/inbox.ts';
import { pause } from '../../src/control/steer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';

const defaults = { agent: 'noop' };

async function submit(app: TestApp, document: Record<string, unknown>): Promise<string> {
  const { name } = document;
  return (await app.submit(testPlan({ defaults, ...document }), { workspace: String(name) })).runId;
}

async function end(app: TestApp, run: string, index: number, kind: 'completed' | 'failed'): Promise<void> {
  const held = { run, index, token: 't' };
  await app.store.record.claim(held, 'w', 60_000);
  await app.store.record.settle({ ...held, kind, reason: 'Exit code 1' });
}

test('what waits for a person over all runs is listed, the most unblocking first', async () => {
  const app = await createTestApp();
  const asks = await submit(app, {
    name: 'asks',
    barrier: 'none',
    tasks: { deploy: { approval: true }, next: { needs: 'deploy' } },
  });
  const fails = await submit(app, { name: 'fails', tasks: { bad: {}, b: { needs: 'bad' }, c: { needs: 'b' } } });
  await end(app, fails, 0, 'failed');
  const gated = await submit(app, {
    name: 'gated',
    'approve-before': [2],
    tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' }, d: { needs: 'c' }, e: { needs: 'd' } },
  });
  await end(app, gated, 0, 'completed');
  const fine = await submit(app, { name: 'fine', tasks: { a: {} } });
  const items = await listInbox(app.store);
  expect(
    items.map(({ kind, run, runName, subject, reason, unblocks, command }) => [
      kind,
      run,
      runName,
      subject,
      reason,
      unblocks,
      command,
    ]),
  ).toEqual([
    ['approval', gated, 'gated', 'gate:1', null, 4, `planq approve ${gated} gate:1`],
    ['failure', fails, 'fails', 'bad', 'Exit code 1', 3, `planq retry ${fails} bad`],
    ['approval', asks, 'asks', 'deploy', null, 2, `planq approve ${asks} deploy`],
  ]);
  expect(items.every(({ since }) => since !== null)).toBe(true);

  await decide(app.store, systemClock, gated, 'gate:1', 'reject', { by: 'ann', comment: 'no' });
  await pause(app.store, systemClock, { kind: 'run', run: fine }, 'ann', 'lunch');
  const later = await listInbox(app.store);
  expect(later.find(({ run }) => run === gated)).toMatchObject({
    kind: 'closed-gate',
    reason: 'rejected by ann: no',
    unblocks: 4,
  });
  expect(later.find(({ run }) => run === fine)).toMatchObject({
    kind: 'paused',
    subject: `run ${fine}`,
    reason: 'by ann: lunch',
    unblocks: 1,
    command: `planq resume ${fine}`,
  });
  await cancelRun(app.store, systemClock, fine, 0);
  expect((await listInbox(app.store)).map(({ run }) => run)).not.toContain(fine);
});

test('tolerated failures, and those that a run goes on without, wait for nobody', async () => {
  const app = await createTestApp();
  const tolerant = await submit(app, { name: 'a', tasks: { bad: { 'continue-on-error': true }, other: {} } });
  await end(app, tolerant, 0, 'failed');
  const careless = await submit(app, { name: 'b', 'on-failure': 'continue', tasks: { bad: {}, other: {} } });
  await end(app, careless, 0, 'failed');
  expect(await listInbox(app.store)).toEqual([]);
});

test('both nodes of a gate between phases are one to people', async () => {
  const app = await createTestApp();
  const run = await submit(app, {
    name: 'phases',
    barrier: 'phase',
    'approve-before': ['validation'],
    tasks: {
      build: { phase: 'implementation' },
      test: { phase: 'validation', needs: 'build' },
      tidy: { phase: 'validation', needs: { task: 'build', when: 'done' } },
    },
  });
  await end(app, run, 0, 'failed');
  expect((await listInbox(app.store)).map(({ kind, subject }) => [kind, subject])).toEqual([
    ['failure', 'build'],
    ['approval', 'gate:1'],
  ]);
  await decide(app.store, systemClock, run, 'gate:1', 'approve', { by: 'ann', comment: '' });
  expect((await app.view(run)).tasks.map(({ state }) => state)).toEqual(['failed', 'blocked', 'ready']);
});
