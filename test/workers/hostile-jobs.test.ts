/**
 * Whoever can write to the queues must not be able to have anything run that the record does not want. Each job here is
 * written straight into BullMQ, as a stranger would.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RUNS_QUEUE } from '../../src/redis/keys.ts';
import type { Job } from '../../src/redis/queues.ts';
import { createTestApp, statesOf, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createHeldAgent } from '../support/scripted-agent.ts';

/** `a` may run, `b` waits for it; whoever runs leaves a line. */
const TASKS = {
  a: { run: 'echo a >> "$PLANQ_WORKSPACE/ran"' },
  b: { run: 'echo b >> "$PLANQ_WORKSPACE/ran"', needs: 'a' },
};

const canary = (app: TestApp) => path.join(app.projectDir, 'canary');

async function failedJob(app: TestApp, job: Job): Promise<string> {
  await waitUntil(`job ${job.id} failed`, () => job.isFailed());
  return (await queueOf(app, job.queueName).getJob(job.id!))?.failedReason ?? '';
}

const queueOf = (app: TestApp, name = 'master-development') => app.store.queues.queue(name);

test('jobs of no run, no task and no form fail with a reason, and the worker goes on', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ tasks: TASKS }));
  const evil = `touch ${canary(app)}`;
  const extra = { run: evil, command: evil, task: { agent: 'command', run: evil }, def: JSON.stringify({ run: evil }) };
  const hostile: unknown[] = [
    { v: 1, run: 'nosuchrun', i: 0 },
    { v: 1, run, i: 2 },
    { v: 1, run, i: 1e9 },
    { v: 1, run, i: Number.MAX_SAFE_INTEGER },
    { v: 1, run, i: -1 },
    { v: 1, run, i: 0.5 },
    { v: 1, run, i: '0' },
    { v: 1, run, i: null },
    { v: 1, run, i: Number.NaN },
    { v: 2, run, i: 0 },
    { run, i: 0 },
    { v: 1, run: { toString: 'x' }, i: 0 },
    { v: 1, run: '', i: 0 },
    { v: 1, run: `${run}:needs`, i: 1 },
    { v: 1, run: `${run}:plan`, i: 0 },
    { v: 1, run: '../../etc', i: 0 },
    { ...extra, v: 1, run: 'nosuchrun', i: 0 },
    { ...extra, v: 1, i: 0 },
    { v: 1, run },
    { v: 1, run, g: 0 },
    { __proto__: null, constructor: { prototype: { polluted: 1 } } },
    [],
    'x',
    42,
    null,
    evil,
  ];
  const jobs: Job[] = [];
  for (const [at, data] of hostile.entries())
    jobs.push((await queueOf(app).add('task', data, { jobId: `evil-${at}` })) as Job);
  // Known run, known task, not its job: whoever adds it could choose what starts and when.
  jobs.push((await queueOf(app).add('task', { v: 1, run, i: 1 }, { jobId: 'evil-own' })) as Job);
  jobs.push((await queueOf(app).add('task', { ...extra, v: 1, run, i: 1 }, { jobId: 'evil-extra' })) as Job);
  await app.startPool();
  for (const job of jobs) expect(await failedJob(app, job)).toMatch(/data are not|no record knows|has another job/);
  expect(statesOf(await app.atRest(run))).toEqual({ a: 'completed', b: 'completed' });
  expect(await app.file('workspace/ran')).toBe('a\nb\n');
  expect(existsSync(canary(app))).toBe(false);
  expect(app.warnings).toEqual(
    expect.arrayContaining([
      'refused a job: no record knows this job',
      'refused a job: its data are not those of a task',
      'refused a job: the task that it names has another job',
    ]),
  );
  expect('polluted' in {}).toBe(false);
});

test('run and stage jobs for what they are not fail, and the runs end as they should', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ tasks: TASKS }));
  const hostile: [string, unknown][] = [
    ['evil-run', { v: 1, run }],
    ['evil-stage', { v: 1, run, g: 1 }],
    [`${run}.stage-9`, { v: 1, run, g: 1 }],
    ['ghost', { v: 1, run: 'ghost' }],
    ['ghost.stage-1', { v: 1, run: 'ghost', g: 1 }],
    ['evil-task', { v: 1, run, i: 1 }],
    ['evil-nothing', {}],
  ];
  const jobs: Job[] = [];
  for (const [jobId, data] of hostile) jobs.push((await queueOf(app, RUNS_QUEUE).add('run', data, { jobId })) as Job);
  await app.startPool();
  for (const job of jobs) expect(await failedJob(app, job)).toMatch(/data are not|no record knows/);
  expect(statesOf(await app.atRest(run))).toEqual({ a: 'completed', b: 'completed' });
  await waitUntil('the report is written', () => existsSync(path.join(app.projectDir, 'workspace/report.json')));
});

test('a real job whose data are changed runs nothing else, and its task runs once all the same', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId: one } = await app.submit(testPlan({ tasks: TASKS }), { workspace: 'one' });
  const { runId: two } = await app.submit(testPlan({ tasks: { c: { run: 'echo c >> "$PLANQ_WORKSPACE/ran"' } } }), {
    workspace: 'two',
  });
  const job = await queueOf(app).getJob(`${one}.a`);
  // Of run one, names the task of run two.
  await job!.updateData({ v: 1, run: two, i: 0, command: `touch ${canary(app)}` });
  await app.startPool();
  expect(statesOf(await app.atRest(one))).toEqual({ a: 'completed', b: 'completed' });
  expect(statesOf(await app.atRest(two))).toEqual({ c: 'completed' });
  expect(await app.file('one/ran')).toBe('a\nb\n');
  expect(await app.file('two/ran')).toBe('c\n');
  expect(existsSync(canary(app))).toBe(false);
});

test('a real job that is made to name a later task of its run does not start that early', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId: run } = await app.submit(testPlan({ tasks: TASKS }));
  await (await queueOf(app).getJob(`${run}.a`))!.updateData({ v: 1, run, i: 1 });
  await app.startPool();
  expect(statesOf(await app.atRest(run))).toEqual({ a: 'completed', b: 'completed' });
  expect(await app.file('workspace/ran')).toBe('a\nb\n');
});

test('a job of a task in the queue of another master is refused', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ tasks: { a: { ...TASKS.a, master: 'security' } } }));
  const job = (await queueOf(app).add('task', { v: 1, run, i: 0 }, { jobId: `${run}.a` })) as Job;
  await app.startPool({ masters: { development: 1 } });
  expect(await failedJob(app, job)).toBe('the task that it names has another job');
  expect(statesOf(await app.view(run))).toEqual({ a: 'ready' });
});

test.each([
  ['whose id is no word', 'x"y\\.z', (run: string) => `{"v":1,"run":"${run}","i":0}`],
  ['whose data are nearly those of a task', 'x.y', (run: string) => `{"v":1,"run":"${run}","i":00}`],
])("a job %s takes nobody's place", async (_, jobId, dataFor) => {
  const app = await createTestApp({ lockMs: 600 });
  const [agent, held] = [createHeldAgent(), { agent: 'scripted' }];
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', tasks: { a: held } }, agent.kinds));
  const parent = { id: run, queue: `${app.store.keys.base}:${RUNS_QUEUE}` };
  await queueOf(app).add('task', {}, { jobId, parent, priority: 2 ** 21 - 1 });
  await app.store.redis.hset(`${app.store.keys.base}:master-development:${jobId}`, 'data', dataFor(run));
  await app.startPool({ concurrency: 1, agents: agent.agents });
  await waitUntil('it works', () => agent.running.has('a'));
  agent.release('a');
  await waitUntil('the run has ended', async () => statesOf(await app.view(run)).a === 'completed');
  await app.submit(testPlan({ tasks: { c: held } }, agent.kinds), { workspace: 'other' });
  await waitUntil('its place is used', () => agent.running.has('c'));
  agent.release('c');
});

test('data in Redis that are no JSON stop nobody', async () => {
  const app = await createTestApp({ lockMs: 600 });
  const { runId: run } = await app.submit(testPlan({ tasks: TASKS }));
  await queueOf(app).add('task', {}, { jobId: 'broken' });
  await app.store.redis.hset(`${app.store.keys.base}:master-development:broken`, 'data', '{not json');
  await app.startPool();
  expect(statesOf(await app.atRest(run))).toEqual({ a: 'completed', b: 'completed' });
});

test('a definition that was changed behind the record fails its task, with the reason', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ tasks: TASKS }));
  const key = app.store.keys.run(run);
  const def = JSON.parse((await app.store.redis.hget(key, 'f0'))!) as Record<string, unknown>;
  await app.store.redis.hset(key, 'f0', JSON.stringify({ ...def, run: `touch ${canary(app)}` }));
  await app.startPool();
  const view = await app.atRest(run);
  expect(statesOf(view)).toEqual({ a: 'failed', b: 'blocked' });
  expect(view.tasks[0]!.reason).toBe('its definition in Redis is not the one that was submitted');
  expect(existsSync(canary(app))).toBe(false);
});
