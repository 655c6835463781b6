/**
 * What planq says of a task that does not run, held against what the claim script does.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderTaskDetails } from '../../src/cli/render/details.ts';
import { plain, renderLine } from '../../src/cli/terminal/style.ts';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { decide } from '../../src/control/decide.ts';
import { readGraph } from '../../src/control/read-graph.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import { showTask } from '../../src/control/show-task.ts';
import { pause, resume, skipTask } from '../../src/control/steer.ts';
import { whyRun, whyTask } from '../../src/control/why.ts';
import type { ReasonCode } from '../../src/flows/why-facts.ts';
import { enqueueAgain } from '../../src/producer/enqueue.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { announceIdle } from '../support/fleet.ts';

const noop = { agent: 'noop' };
const LEASE_MS = 60_000;
const me = { by: 'ann', comment: '' };

async function submitted(app: TestApp, document: Record<string, unknown>): Promise<string> {
  return (await app.submit(testPlan({ defaults: noop, ...document }))).runId;
}

const claim = (app: TestApp, run: string, index: number, token = `t${index}`) =>
  app.store.record.claim({ run, index, token }, 'w', LEASE_MS);

type Settled = Parameters<TestApp['store']['record']['settle']>[0]['kind'];

async function settle(app: TestApp, run: string, index: number, kind: Settled, delayMs = 0): Promise<void> {
  const { outbox } = await app.store.record.settle({
    run,
    index,
    token: `t${index}`,
    kind,
    delayMs,
    reason: 'Exit code 1',
  });
  await enqueueAgain(app.store, run, outbox);
}

const reasonsOf = async (app: TestApp, run: string, task: string) =>
  (await whyTask(app.store, systemClock, run, task)).reasons;

/** Without the place in BullMQ's queue, which says nothing where no worker takes jobs. */
const said = async (app: TestApp, run: string, task: string) =>
  (await reasonsOf(app, run, task))
    .filter(({ code }) => code !== 'waiting')
    .map(({ message, command }) => (command === null ? message : `${message} → ${command}`));

test('after a retry by a person, attempts are counted from there', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { tasks: { a: { retries: 0 } } });
  await claim(app, run, 0);
  await settle(app, run, 0, 'failed');
  await retryRun(app.store, systemClock, run);
  await claim(app, run, 0);
  const [reason] = await reasonsOf(app, run, 'a');
  expect(reason?.message).toContain('attempt 2 (1 of 1 since the retry)');
  const view = await app.view(run);
  const text = renderTaskDetails(await showTask(app.store, run, 'a'), view, 0).map((line) => renderLine(line, plain));
  expect(text).toContainEqual(expect.stringMatching(/^attempt +2 \(1 of 1 since the retry\)$/));
});

test('a task that nothing holds is next; without a worker, that is the reason', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { tasks: { a: {} } });
  expect(await said(app, run, 'a')).toEqual([`no worker serves master development → planq watch ${run} --work`]);
  await announceIdle(app);
  expect(await said(app, run, 'a')).toEqual([]);
  await announceIdle(app, { running: 10 });
  expect((await reasonsOf(app, run, 'a')).map(({ code }) => code)).toEqual(['workers-busy']);
  await announceIdle(app, { masters: { security: 1 } });
  expect((await reasonsOf(app, run, 'a')).map(({ code }) => code)).toEqual(['no-worker']);
});

test('needs and gates are named with what they wait for', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { tasks: { a: {}, b: {}, c: { needs: 'a' } } });
  await claim(app, run, 1);
  expect(await said(app, run, 'c')).toEqual([
    `it needs a, which is ready → planq why ${run} a`,
    `gate:1 is not open: a (ready), b (running) must end before → planq why ${run} a`,
  ]);
});

test('what is blocked names what failed, why, and how to mend it', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { tasks: { a: {}, b: { needs: 'a' }, c: { needs: 'b' } } });
  await claim(app, run, 0);
  await settle(app, run, 0, 'failed');
  expect(await said(app, run, 'c')).toEqual([`a failed: Exit code 1 → planq retry ${run} a`]);
  expect((await reasonsOf(app, run, 'c'))[0]?.clear).toContain(`planq skip ${run} a`);
  expect((await said(app, run, 'a'))[0]).toMatch(/^it has failed at .*: Exit code 1 → planq retry/);
  expect((await whyRun(app.store, systemClock, run)).reasons[0]).toMatchObject({
    code: 'failed',
    message: 'a failed: Exit code 1; it blocks 2 tasks',
    command: `planq retry ${run} a`,
  });
});

test('pauses, approval and backoff are named in the order in which a claim looks', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { barrier: 'none', tasks: { a: { approval: true }, b: {} } });
  await announceIdle(app);
  await pause(app.store, systemClock, { kind: 'run', run }, 'ann', 'lunch');
  await pause(app.store, systemClock, { kind: 'all' }, 'bob', '');
  const held = [
    expect.stringMatching(/^everything is paused by bob since .* → planq resume --all$/),
    expect.stringMatching(new RegExp(`^run ${run} is paused by ann since .*: lunch → planq resume ${run}$`)),
  ];
  expect(await said(app, run, 'a')).toEqual([
    expect.stringMatching(new RegExp(`^it waits for approval since .* → planq approve ${run} a$`)),
    ...held,
  ]);
  await resume(app.store, { kind: 'all' });
  await resume(app.store, { kind: 'run', run });
  await claim(app, run, 1);
  await settle(app, run, 1, 'retryable', 60_000);
  expect(await said(app, run, 'b')).toEqual([
    expect.stringMatching(/^attempt 1 failed: Exit code 1; the next one is due at 20/),
  ]);
});

test('a limit names how much there is, who has it, and the place in line', async () => {
  const app = await createTestApp();
  await announceIdle(app);
  const task = { takes: { gpu: 1 } };
  const run = await submitted(app, {
    limits: { gpu: 2 },
    tasks: { a: task, b: task, big: { takes: { gpu: 2 } }, last: { ...task, priority: 'low' } },
  });
  await claim(app, run, 0);
  expect((await reasonsOf(app, run, 'b')).map(({ code }) => code)).toEqual(['waiting']);
  expect((await claim(app, run, 2)).kind).toBe('parked');
  expect(await said(app, run, 'big')).toEqual([
    `gpu: 1 of 2 in use, it takes 2, held by ${run} a; it is the first in line → planq limits`,
  ]);
  expect(await said(app, run, 'last')).toEqual([
    'gpu has room for it, but 1 in line before it: what is free is kept for the first → planq limits',
  ]);
  await settle(app, run, 0, 'completed');
  expect(await said(app, run, 'big')).toEqual([]);
});

test('the cap of a master, a paused queue and a lost job are seen', async () => {
  const app = await createTestApp();
  await announceIdle(app);
  const run = await submitted(app, { tasks: { a: {}, b: {} } });
  const queue = app.store.queues.queue('master-development');
  await queue.setGlobalConcurrency(1);
  await app.store.redis.lpush(`${app.store.keys.base}:master-development:active`, 'somebody');
  await queue.remove(`${run}.b`);
  await queue.pause();
  expect((await reasonsOf(app, run, 'b')).map(({ code, message }) => `${code}: ${message}`)).toEqual([
    "queue-paused: BullMQ's queue of master development is paused, though not by planq",
    'master-limit: master development has 1 of 1 tasks at once',
    'no-job: its job is not in BullMQ',
  ]);
});

test('a running task tells who has it, since when, and what it said last', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { tasks: { a: {} } });
  const held = { run, index: 0, token: 't0' };
  await claim(app, run, 0);
  await app.store.record.report(held, 'progress', 40, 'half');
  await app.store.record.pushTail(run, 0, ['one', 'two']);
  expect(await whyTask(app.store, systemClock, run, 'a')).toMatchObject({
    state: 'running',
    reasons: [{ code: 'running', message: expect.stringMatching(/^it runs on worker w since 20.*, attempt 1 of 3$/) }],
    running: { worker: 'w', progress: 40, lastOutput: 'two', leaseUntil: expect.stringMatching(/^20/) },
  });
  await app.store.redis.zadd(app.store.keys.leases, 1, `${run}|0`);
  expect((await reasonsOf(app, run, 'a'))[0]).toMatchObject({
    message: expect.stringMatching(/^worker w had it since .*, and is gone$/),
    clear: 'another worker takes it over',
  });
  expect((await whyRun(app.store, systemClock, run)).reasons[0]?.message).toMatch(/^a runs for /);
});

test('a gate that a person closed is named as such, for the task and in the view of the run', async () => {
  const app = await createTestApp();
  const run = await submitted(app, { 'approve-before': [2], tasks: { a: {}, b: { needs: 'a' } } });
  await claim(app, run, 0);
  await settle(app, run, 0, 'completed');
  expect(await said(app, run, 'b')).toEqual([`gate:1 waits for approval → planq approve ${run} gate:1`]);
  await decide(app.store, systemClock, run, 'gate:1', 'reject', { by: 'ann', comment: 'no' });
  expect((await app.view(run)).tasks[1]).toMatchObject({ state: 'blocked', blockedBy: ['gate:1'] });
  expect(await said(app, run, 'b')).toEqual([`gate:1 is closed: rejected by ann: no → planq approve ${run} gate:1`]);
});

/** Reasons that the claim script does not know of. */
const OUTSIDE: ReadonlySet<ReasonCode> = new Set([
  'no-worker',
  'workers-busy',
  'master-limit',
  'queue-paused',
  'no-job',
  'waiting',
]);

const operation = fc.record({
  what: fc.constantFrom(
    ...([
      'claim',
      'claim',
      'claim',
      'claim',
      'claim',
      'claim',
      'complete',
      'complete',
      'fail',
      'retryable',
      'pause',
      'resume',
    ] as const),
    ...(['pause-all', 'resume-all', 'skip', 'approve', 'reject', 'retry', 'retry-from', 'cancel'] as const),
  ),
  at: fc.nat(6),
});

const document = fc.record({
  barrier: fc.constantFrom('none', 'stage', 'phase'),
  tasks: fc.array(
    fc.record({
      need: fc.nat(15),
      gpu: fc.nat(3),
      priority: fc.constantFrom('high', 'medium', 'low'),
      approval: fc.nat(6),
      when: fc.constantFrom('success', 'done', 'failed'),
    }),
    { minLength: 2, maxLength: 7 },
  ),
  operations: fc.array(operation, { maxLength: 18 }),
});

type Drawn = typeof document extends fc.Arbitrary<infer T> ? T : never;

function toDocument({ barrier, tasks }: Drawn): Record<string, unknown> {
  const entries = tasks.map(({ need, gpu, priority, approval, when }, index) => [
    `t${index}`,
    {
      needs: need < index ? [{ task: `t${need}`, when }] : [],
      priority,
      ...(gpu === 0 ? {} : { takes: { gpu } }),
      ...(approval === 0 ? { approval: true } : {}),
    },
  ]);
  return { barrier, limits: { gpu: 3, agents: 4 }, tasks: Object.fromEntries(entries) };
}

/** What people and workers do; a step that is refused changes nothing. */
async function perform(app: TestApp, run: string, { what, at }: Drawn['operations'][number]): Promise<void> {
  const task = `t${at}`;
  switch (what) {
    case 'claim':
      return void (await claim(app, run, at));
    case 'complete':
      return settle(app, run, at, 'completed');
    case 'fail':
      return settle(app, run, at, 'failed');
    case 'retryable':
      return settle(app, run, at, 'retryable', 60_000);
    case 'pause':
      return void (await pause(app.store, systemClock, { kind: 'run', run }, 'ann', ''));
    case 'resume':
      return void (await resume(app.store, { kind: 'run', run }));
    case 'pause-all':
      return void (await pause(app.store, systemClock, { kind: 'all' }, 'ann', ''));
    case 'resume-all':
      return void (await resume(app.store, { kind: 'all' }));
    case 'skip':
      return void (await skipTask(app.store, systemClock, run, task, 'ann'));
    case 'approve':
    case 'reject':
      return void (await decide(app.store, systemClock, run, task, what, me));
    case 'retry':
      return void (await retryRun(app.store, systemClock, run));
    case 'retry-from':
      return void (await retryRun(app.store, systemClock, run, { from: task }));
    case 'cancel':
      return void (await cancelRun(app.store, systemClock, run, 0));
  }
}

/** The counts that end and block runs are those of the records. */
async function expectCountsAgree(app: TestApp, run: string): Promise<void> {
  const graph = await readGraph(app.store, run);
  const counted: Record<string, number> = {};
  for (const { isGate, record } of graph!.nodes) {
    const names: string[] = isGate ? [] : [record.s];
    if (record.s === 'parked' && record.ap === 1) names.push(isGate ? 'gated' : 'approval');
    for (const name of names) counted[name] = (counted[name] ?? 0) + 1;
  }
  const stored = Object.entries(graph!.meta).filter(([name, value]) => name.startsWith('n:') && value !== '0');
  const compared = stored.filter(([name]) => name !== 'n:tolerated');
  expect(Object.fromEntries(compared.map(([name, value]) => [name.slice(2), Number(value)]))).toEqual(counted);
}

test('whatever a claim refuses has a reason, and what it takes has none that it looks at', async () => {
  const app = await createTestApp();
  await announceIdle(app);
  let taken = 0;
  let refused = 0;
  let count = 0;
  await fc.assert(
    fc.asyncProperty(document, async (drawn) => {
      const workspace = `w-${count++}`;
      const { runId: run } = await app.submit(testPlan({ defaults: noop, ...toDocument(drawn) }), { workspace });
      for (const step of drawn.operations) await perform(app, run, step).catch(() => undefined);
      await expectCountsAgree(app, run);
      await announceIdle(app);
      for (const index of drawn.tasks.keys()) {
        const reasons = (await reasonsOf(app, run, `t${index}`)).map(({ code }) => code);
        const { kind } = await claim(app, run, index, `other${index}`);
        if (kind === 'run') {
          taken++;
          expect(reasons.filter((code) => !OUTSIDE.has(code))).toEqual([]);
        } else {
          refused++;
          expect(
            reasons.filter((code) => !OUTSIDE.has(code)),
            `a claim answers ${kind}`,
          ).not.toEqual([]);
        }
      }
      // What this run holds would be in the way of the next one.
      await cancelRun(app.store, systemClock, run, 0).catch(() => undefined);
      for (const index of drawn.tasks.keys())
        for (const token of [`t${index}`, `other${index}`])
          await app.store.record.settle({ run, index, token, kind: 'cancelled' });
      await resume(app.store, { kind: 'all' });
      expect(await app.store.redis.hgetall(app.store.keys.used)).toEqual({});
    }),
    { numRuns: 150 },
  );
  expect(taken).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(20);
}, 60_000);
