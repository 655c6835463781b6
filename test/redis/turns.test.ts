/**
 * A worker's turns against a real Redis: beside BullMQ's own scripts, with lost answers, with what they leave to BullMQ.
 */
import { EventEmitter, once } from 'node:events';
import { DelayedError, Job, type JobJson, Worker } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { toJobJson } from '../../src/redis/job-json.ts';
import { settleArguments } from '../../src/redis/record.ts';
import type { TakenJob } from '../../src/redis/taken-job.ts';
import { type Reservation, TurnWorker } from '../../src/redis/turn-worker.ts';
import type { Turn, TurnReply, Turns } from '../../src/redis/turns.ts';
import { randomId } from '../../src/runtime/random.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { readQueues } from '../support/bullmq-keys.ts';
import { waitUntil } from '../support/processes.ts';
import { startRedisServer } from '../support/redis-server.ts';

const QUEUE = 'master-development';
const DONE = { state: 'completed' };
const noop = { agent: 'noop' };

function openTurns(app: TestApp, nonces?: string[]): Turns {
  let count = 0;
  const randomToken = () => nonces?.[count++] ?? `nonce-${count++}`;
  return app.store.record.openTurns({ workerId: 'w', leaseMs: 5000, lockMs: 5000, randomToken });
}

function openBullMQ(app: TestApp): Worker {
  const { redis, keys } = app.store;
  const worker = new Worker(QUEUE, null, { connection: redis, prefix: keys.base, autorun: false, lockDuration: 5000 });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close());
  return worker;
}

async function submit(app: TestApp, tasks: Record<string, unknown>): Promise<string> {
  return (await app.submit(testPlan({ tasks }))).runId;
}

const take = (lock: string): Turn => ({ queue: QUEUE, lock, next: `claim-${lock}` });
/** As a worker knows the job that it took. */
async function ending({ store }: TestApp, job: string): Promise<NonNullable<Turn['complete']>> {
  const parent = await store.redis.hget(`${store.keys.base}:${QUEUE}:${job}`, 'parentKey');
  return { job, returnValue: DONE, attemptsMade: 0, ...(parent === null ? {} : { parent }) };
}
/** All that there is of a job in a worker, but for its priority. */
const facts = (job: Job) => {
  const { id, name, data, attemptsMade, attemptsStarted, parentKey, parent, timestamp, processedOn } = job;
  const { failedReason, stacktrace, progress, returnvalue, stalledCounter, deduplicationId, repeatJobKey } = job;
  const { attempts, backoff } = job.opts;
  const now = {
    id,
    name,
    data,
    attemptsMade,
    attemptsStarted,
    parentKey,
    parent,
    timestamp,
    processedOn,
    attempts,
    backoff,
  };
  return { ...now, failedReason, stacktrace, progress, returnvalue, stalledCounter, deduplicationId, repeatJobKey };
};
const idOf = ({ next }: TurnReply): string => (typeof next === 'string' ? next : next.id);

test("jobs that are taken and completed by turns leave what BullMQ's own scripts leave", async () => {
  const [ours, theirs] = [await createTestApp({ queueEvents: true }), await createTestApp({ queueEvents: true })];
  const tasks = { a: noop, b: noop, c: { ...noop, priority: 'high' } };
  const [run, other] = [await submit(ours, tasks), await submit(theirs, tasks)];
  const [turns, worker] = [openTurns(ours), openBullMQ(theirs)];
  const compare = async () => expect(await readQueues(ours, run)).toEqual(await readQueues(theirs, other));
  await compare();

  const first = await turns.call(take('l'));
  let job: Job | undefined = await worker.getNextJob('l');
  expect(idOf(first)).toBe(`${run}.c`);
  expect(job?.id).toBe(`${other}.c`);
  await compare();

  let id = idOf(first);
  for (const left of [2, 1, 0]) {
    const reply = await turns.call({ ...take('l'), complete: await ending(ours, id) });
    const next = (await job!.moveToCompleted(DONE, 'l', true)) as unknown[] | undefined;
    expect(reply.isCompleted).toBe(true);
    id = idOf(reply);
    expect(id === 'none').toBe(left === 0);
    job = next?.[0] ? Job.fromJSON(worker, next[0] as JobJson, String(next[1])) : undefined;
    await compare();
  }
  // The stage job has lost its last child.
  expect(await ours.store.redis.lrange(`${ours.store.keys.base}:runs:wait`, 0, -1)).toEqual([`${run}.stage-1`]);
});

test('a job that is taken for the first time, and one that comes back, are what BullMQ reads of them', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, 'b/c.d': { ...noop, needs: 'a' } });
  const [turns, worker] = [openTurns(app), openBullMQ(app)];
  const root = await turns.call(take('l'));
  const settle = settleArguments({ run, index: 0, token: 'claim-l', kind: 'completed', parentId: `${run}.stage-1` });
  const first = await turns.call({ ...take('l'), complete: await ending(app, `${run}.a`), settle });
  const { redis, keys } = app.store;
  const compare = async ({ next }: TurnReply, isFresh: boolean): Promise<void> => {
    const taken = next as TakenJob;
    expect(Array.isArray(taken.job)).toBe(!isFresh);
    const theirs = await Job.fromId(worker, taken.id);
    expect(facts(Job.fromJSON(worker, toJobJson(taken), taken.id))).toEqual(facts(theirs!));
  };
  await compare(first, true);
  expect(idOf(root)).toBe(`${run}.a`);
  // Back in line, as after a failed attempt.
  const key = `${keys.base}:${QUEUE}`;
  await redis.multi().lrem(`${key}:active`, 1, idOf(first)).zadd(`${key}:prioritized`, 1, idOf(first)).exec();
  await redis.hset(`${key}:${idOf(first)}`, 'atm', 1, 'failedReason', 'no luck', 'stacktrace', '["at home"]');
  await compare(await turns.call({ queue: QUEUE, lock: 'm', next: 'claim-l' }), false);
});

test('a job whose data are no JSON takes no room from others, also when it comes at the end of another job', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop });
  const { redis, keys, queues } = app.store;
  await queues.queue(QUEUE).add('x', {}, { jobId: 'x.y', priority: 2 ** 21 - 1 });
  // For the script they are those of a task.
  await redis.hset(`${keys.base}:${QUEUE}:x.y`, 'data', `{"v":1,"run":"${run}","i":00}`);
  const rooms = new Set<Reservation>();
  const reserve = (): Reservation | null => {
    if (rooms.size > 0) return null;
    const room: Reservation = { token: 't', at: 0, giveBack: () => void rooms.delete(room) };
    rooms.add(room);
    return room;
  };
  const errors: unknown[] = [];
  const worker = new TurnWorker({
    queue: QUEUE,
    turns: openTurns(app),
    worker: { connection: redis, prefix: keys.base, concurrency: 1 },
    reserve,
    waitForRoom: () => null,
    wakeAnother: async () => undefined,
    perform: async (_job, _token, claimed) => {
      claimed!.reservation.giveBack();
      return DONE;
    },
    onError: (error) => errors.push(error),
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close(true));
  await waitUntil('it was taken', async () => (await queues.queue(QUEUE).getJobState('x.y')) === 'active');
  await waitUntil('it is told, and there is room', () => errors.length > 0 && rooms.size === 0);
  expect(await queues.queue(QUEUE).getJobState(`${run}.a`)).toBe('completed');
});

/** What a worker that performs like this is told of its locks, which last for 400 ms. */
function performLike(app: TestApp, turns: Turns, perform: (job: Job, token: string) => Promise<unknown>) {
  const { redis, keys } = app.store;
  const worker = new TurnWorker({
    queue: QUEUE,
    turns,
    worker: { connection: redis, prefix: keys.base, concurrency: 3, lockDuration: 400 },
    reserve: () => ({ token: randomId(8), at: 0, giveBack: () => undefined }),
    waitForRoom: () => null,
    wakeAnother: async () => undefined,
    perform,
    onError: () => undefined,
  });
  const told: string[] = [];
  const renewed: string[][] = [];
  worker.on('error', ({ message }) => void told.push(message));
  worker.on('locksRenewed', ({ jobIds }) => void renewed.push(jobIds));
  onTestFinished(() => worker.close(true));
  return { told, renewed };
}

test('the lock of a job that ends or moves is not renewed, and one that is lost is told of', async () => {
  const app = await createTestApp();
  const run = await submit(app, { ends: noop, moves: noop, stays: noop });
  const turns = openTurns(app);
  const call = turns.call.bind(turns);
  const left: string[] = [];
  const more = new EventEmitter();
  turns.call = async (turn) => {
    const reply = await call(turn);
    if (turn.complete === undefined) return reply;
    left.push('ends');
    await once(more, 'go');
    return reply;
  };
  const { told, renewed } = performLike(app, turns, async (job, token) => {
    if (job.name === 'stays') return new Promise(() => undefined);
    if (job.name === 'ends') return DONE;
    await job.moveToDelayed(Date.now() + 60_000, token);
    left.push('moves');
    await once(more, 'go');
    throw new DelayedError();
  });
  onTestFinished(() => void more.emit('go'));
  await waitUntil('one has ended, one has moved', () => left.length === 2);
  const before = renewed.length;
  await waitUntil('the third was renewed', () => renewed.length >= before + 3);
  expect(renewed.slice(before + 1, before + 3)).toEqual([[`${run}.stays`], [`${run}.stays`]]);
  expect(told).toEqual([]);
  await app.store.redis.del(`${app.store.keys.base}:${QUEUE}:${run}.stays:lock`);
  await waitUntil('the loss is told', () => told.length > 0);
  expect(told[0]).toBe(`could not renew lock for job ${run}.stays`);
});

test('the lock of a job is renewed that is here again before the worker is done with having moved it', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop });
  const [job, comes] = [`${run}.a`, new EventEmitter()];
  const isBack = once(comes, 'back');
  let isEnded = false;
  const { told, renewed } = performLike(app, openTurns(app), async (taken, token) => {
    if (taken.attemptsStarted > 1) return new Promise(() => comes.emit('back'));
    await taken.moveToDelayed(Date.now() + 60_000, token);
    await taken.promote();
    await isBack;
    isEnded = true;
    throw new DelayedError();
  });
  await waitUntil('the first is over', () => isEnded);
  const before = renewed.length;
  await waitUntil('the second was renewed', () => renewed.length >= before + 5);
  expect([told, renewed.at(-1)]).toEqual([[], [job]]);
});

test("jobs that are let go by settling are stored as BullMQ's own script stores them", async () => {
  const [ours, theirs] = [await createTestApp({ queueEvents: true }), await createTestApp({ queueEvents: true })];
  const tasks = { a: noop, b: { ...noop, needs: 'a' }, c: { ...noop, needs: 'a', priority: 'low' } };
  const [run, other] = [await submit(ours, tasks), await submit(theirs, tasks)];
  // A queue with a limit is BullMQ's business: the same step, by its own script.
  const { redis, keys } = theirs.store;
  await redis.hset(`${keys.base}:${QUEUE}:meta`, 'concurrency', '50');
  for (const [app, id] of [
    [ours, run],
    [theirs, other],
  ] as const) {
    const held = { run: id, index: 0, token: 't' };
    await app.store.record.claim(held, 'w', 5000);
    await app.store.record.settle({ ...held, kind: 'completed', parentId: id });
  }
  await redis.hdel(`${keys.base}:${QUEUE}:meta`, 'concurrency');
  expect(await readQueues(ours, run)).toEqual(await readQueues(theirs, other));
});

test("a stage that opens gets the job that BullMQ's own script makes for the first stage", async () => {
  const app = await createTestApp({ queueEvents: true });
  const tasks = { a: noop, b: noop, c: { ...noop, needs: ['a', 'b'] }, d: { ...noop, needs: ['a', 'b'] } };
  const run = await submit(app, tasks);
  for (const index of [0, 1]) {
    const held = { run, index, token: 't' };
    await app.store.record.claim(held, 'w', 5000);
    await app.store.record.settle({ ...held, kind: 'completed', parentId: `${run}.stage-1` });
  }
  const found = await readQueues(app, run);
  const stage = (number: number) => {
    const text = JSON.stringify(found[`BASE:runs:RUN.stage-${number}`]).replaceAll(/(stage[- ]|"g\\":)\d/g, '$1N');
    const { opts, ...rest } = JSON.parse(text);
    // A flow repeats the job's id and its parent there, and writes the backoff out.
    const { jobId, parent, backoff, ...options } = JSON.parse(opts);
    return { ...rest, options };
  };
  expect(stage(2)).toEqual(stage(1));
  const read = async (number: number) =>
    (await app.store.queues.queue('runs').getJob(`${run}.stage-${number}`))?.opts.backoff;
  expect(await read(2)).toEqual(await read(1));
  expect(found['BASE:runs:waiting-children']).toEqual(expect.arrayContaining(['RUN', 'RUN.stage-1', 'RUN.stage-2']));
  expect(found['BASE:runs:RUN.stage-2:dependencies']).toEqual(['c', 'd'].map((id) => `BASE:${QUEUE}:RUN.${id}`));
  expect(found['BASE:runs:RUN:dependencies']).toEqual(['BASE:runs:RUN.stage-1', 'BASE:runs:RUN.stage-2']);
  for (const event of ['added', 'waiting-children'])
    for (const number of [1, 2])
      expect(found['BASE:runs:events']).toContainEqual(
        expect.stringMatching(new RegExp(`^event ${event} jobId RUN.stage-${number}`)),
      );
});

test('a task is settled, its job completed, the next one taken and claimed in one call', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, b: { ...noop, needs: 'a' } });
  const turns = openTurns(app);
  const next = 'one';
  const first = await turns.call({ queue: QUEUE, lock: 'l', next });
  expect(first.next).toMatchObject({ id: `${run}.a`, claim: { kind: 'run', attempt: 1 } });
  const settle = settleArguments({ run, index: 0, token: 'one', kind: 'completed', parentId: run });
  const complete = await ending(app, `${run}.a`);
  const second = await turns.call({ queue: QUEUE, lock: 'l', complete, settle, next: 'two' });
  expect(second).toMatchObject({
    settled: { status: 'settled', state: 'completed' },
    isCompleted: true,
    next: { id: `${run}.b`, claim: { kind: 'run' } },
  });
  expect((await app.view(run)).tasks.map(({ state }) => state)).toEqual(['completed', 'running']);
});

test('the hint of a claim lets the settle read in one command what it would read in several, and changes nothing else', async () => {
  // Where nobody else is counted.
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const app = await createTestApp({ redisUrl: server.socket });
  const { redis } = app.store;
  const countReads = async (): Promise<number> =>
    Number(/cmdstat_hmget:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
  const reads: number[] = [];
  for (const isHinted of [true, false]) {
    const tasks = { a: noop, b: { ...noop, needs: 'a' }, c: { ...noop, needs: 'a' } };
    const { runId: run } = await app.submit(testPlan({ barrier: 'none', tasks }));
    const turns = openTurns(app);
    const { next } = await turns.call({ queue: QUEUE, lock: run, next: run });
    const { hint } = (next as TakenJob).claim as { hint: string };
    expect(hint).toBe('1s,2s');
    const complete = await ending(app, `${run}.a`);
    const held = { run, index: 0, token: run };
    const settle = settleArguments({ ...held, kind: 'completed', parentId: run, ...(isHinted ? { hint } : {}) });
    const before = await countReads();
    const reply = await turns.call({ queue: QUEUE, lock: run, complete, settle });
    reads.push((await countReads()) - before);
    expect(reply).toMatchObject({ settled: { status: 'settled', state: 'completed' }, isCompleted: true });
    expect((await app.view(run)).tasks.map(({ state }) => state)).toEqual(['completed', 'ready', 'ready']);
    for (const lock of ['b', 'c']) await turns.call({ queue: QUEUE, lock: `${run}${lock}`, next: `${run}${lock}` });
  }
  // Without it one more for each of the two that need it.
  expect(reads[1]! - reads[0]!).toBe(2);
});

test('any text comes through a turn as it is', async () => {
  const app = await createTestApp();
  const { store } = app;
  const run = await submit(app, { a: noop });
  const turns = openTurns(app);
  await turns.call(take('l'));
  const values = JSON.stringify({ quotes: '"\\/', lines: 'a\n\t\u2028b\u0000', other: 'é 漢 🚀', half: '\ud83d' });
  const settle = settleArguments({
    run,
    index: 0,
    token: 'claim-l',
    kind: 'completed',
    parentId: `${run}.stage-1`,
    values,
  });
  const reply = await turns.call({ queue: QUEUE, lock: 'l', complete: await ending(app, `${run}.a`), settle });
  expect(reply).toMatchObject({ settled: { status: 'settled', runState: 'completed' }, isCompleted: true });
  expect(await store.redis.hget(store.keys.run(run, 'out'), '0')).toBe(values);
});

test('who needs a task is no hint where those are many', async () => {
  const app = await createTestApp();
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`t${at}`, { ...noop, needs: 'a' }]));
  const run = await submit(app, { a: noop, ...many });
  const { next } = await openTurns(app).call(take(run));
  expect((next as TakenJob).claim).toMatchObject({ kind: 'run', hint: '' });
});

test('a job that is gone when its answer is asked for again is told without fields', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop });
  const { next } = await openTurns(app, ['same']).call(take('l'));
  await app.store.redis.del(`${app.store.keys.base}:${QUEUE}:${idOf({ next } as TurnReply)}`);
  expect((await openTurns(app, ['same']).call(take('l'))).next).toEqual({ id: `${run}.a`, claim: null, job: [] });
});

test('a run job waits for tasks that are ready, also where none of their jobs is there', async () => {
  const app = await createTestApp();
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', tasks: { a: noop, b: noop } }));
  const { redis, keys, queues } = app.store;
  const job = `${keys.base}:${QUEUE}:${run}.b`;
  await redis
    .multi()
    .zrem(`${keys.base}:${QUEUE}:prioritized`, `${run}.b`)
    .del(job)
    .srem(`${keys.base}:runs:${run}:dependencies`, job)
    .exec();
  const turns = openTurns(app);
  await turns.call(take('l'));
  const settle = settleArguments({ run, index: 0, token: 'claim-l', kind: 'completed', parentId: run });
  await turns.call({ queue: QUEUE, lock: 'l', complete: await ending(app, `${run}.a`), settle });
  expect(await queues.queue('runs').getJobState(run)).toBe('waiting-children');
});

test('what JSON cannot write in the record of one run keeps nothing from another', async () => {
  const app = await createTestApp();
  const { redis, keys } = app.store;
  const [run, odd] = [await submit(app, { a: noop, b: { ...noop, needs: 'a' } }), await submit(app, { a: noop })];
  const turns = openTurns(app);
  await turns.call(take('l'));
  await redis.hset(keys.run(odd), 't0', '{"s":"ready","n":1e999}');
  const settle = settleArguments({ run, index: 0, token: 'claim-l', kind: 'completed', parentId: `${run}.stage-1` });
  const [ended, taken] = await Promise.all([
    turns.call({ queue: QUEUE, lock: 'l', complete: await ending(app, `${run}.a`), settle }),
    turns.call(take('m')),
  ]);
  expect(ended).toMatchObject({ settled: { status: 'settled' }, isCompleted: true });
  expect(taken.next).toMatchObject({ id: `${odd}.a`, claim: { kind: 'later', ms: 0 } });
  expect((await app.view(run)).tasks.map(({ state }) => state)).toEqual(['completed', 'ready']);
});

test('a run job is woken when all that is left waits for a person', async () => {
  const app = await createTestApp();
  const tasks = { a: noop, b: { ...noop, approval: true } };
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', tasks }));
  const turns = openTurns(app);
  await turns.call(take('l'));
  const settle = settleArguments({ run, index: 0, token: 'claim-l', kind: 'completed', parentId: run });
  await turns.call({ queue: QUEUE, lock: 'l', complete: await ending(app, `${run}.a`), settle });
  expect(await app.store.queues.queue('runs').getJobState(run)).toBe('waiting');
});

test('a job that is there already stays where it is when its task becomes ready', async () => {
  const app = await createTestApp();
  const { redis, keys, queues } = app.store;
  const { runId: run } = await app.submit(
    testPlan({ barrier: 'none', tasks: { a: noop, b: { ...noop, needs: 'a' } } }),
  );
  await queues.queue(QUEUE).add('b', { v: 1, run, i: 1 }, { jobId: `${run}.b`, delay: 60_000 });
  const turns = openTurns(app);
  await turns.call(take('l'));
  const settle = settleArguments({ run, index: 0, token: 'claim-l', kind: 'completed', parentId: run });
  await turns.call({ queue: QUEUE, lock: 'l', complete: await ending(app, `${run}.a`), settle });
  expect(await queues.queue(QUEUE).getJobState(`${run}.b`)).toBe('delayed');
  expect(await redis.zscore(`${keys.base}:${QUEUE}:prioritized`, `${run}.b`)).toBeNull();
});

test('what is missing in a record is told as nothing', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop });
  await app.store.redis.hdel(app.store.keys.run(run), 'context');
  expect((await openTurns(app).call(take('l'))).next).toMatchObject({ claim: { kind: 'run', context: 'null' } });
});

test('parents that have nothing to do but to end complete with their last child; a report is for a worker', async () => {
  const app = await createTestApp();
  const [plain, filed] = [
    await submit(app, { a: noop, b: noop }),
    await submit(app, { a: { agent: 'command', run: 'true' }, b: noop }),
  ];
  const [turns, runs] = [openTurns(app), app.store.queues.queue('runs')];
  const taken = await Promise.all(['1', '2', '3', '4'].map((lock) => turns.call({ ...take(lock), next: `t${lock}` })));
  const toEnd = async ({ next }: TurnReply, at: number): Promise<Turn> => {
    const id = typeof next === 'string' ? '' : next.id;
    const run = id.slice(0, -2);
    const index = id.endsWith('a') ? 0 : 1;
    return {
      queue: QUEUE,
      lock: String(at + 1),
      complete: await ending(app, id),
      settle: settleArguments({ run, index, token: `t${at + 1}`, kind: 'completed', parentId: `${run}.stage-1` }),
    };
  };
  const ends = await Promise.all(taken.map(toEnd));
  await Promise.all(ends.map((turn) => turns.call(turn)));
  expect(await runs.getJobState(`${plain}.stage-1`)).toBe('completed');
  expect(await runs.getJobState(plain)).toBe('completed');
  expect((await runs.getJob(plain))?.returnvalue).toEqual(DONE);
  expect(await runs.getJobState(`${filed}.stage-1`)).toBe('completed');
  expect(await runs.getJobState(filed)).toBe('waiting');
  expect(await app.store.redis.zrange(app.store.keys.ended, '0', '-1')).toEqual([filed]);
});

test('a job whose task has to wait sleeps at once, another is taken instead, and who frees the limit wakes it', async () => {
  const app = await createTestApp({ queueEvents: true });
  const gpu = { ...noop, takes: { gpu: 1 }, priority: 'high' };
  const { runId: run } = await app.submit(
    testPlan({ barrier: 'none', limits: { resources: { gpu: 1 } }, tasks: { a: gpu, b: gpu, c: noop } }),
  );
  const [turns, queue] = [openTurns(app), app.store.queues.queue(QUEUE)];
  const taken = await Promise.all(['1', '2', '3'].map((lock) => turns.call({ ...take(lock), next: `t${lock}` })));
  expect(taken.map(idOf)).toEqual([`${run}.a`, `${run}.c`, 'ask']);
  expect(await queue.getJobState(`${run}.b`)).toBe('delayed');
  expect((await queue.getJob(`${run}.b`))?.delay).toBe(3_600_000);
  expect((await app.view(run)).tasks.map(({ state }) => state)).toEqual(['running', 'parked', 'running']);
  const settle = settleArguments({ run, index: 0, token: 't1', kind: 'completed', parentId: run });
  const complete = await ending(app, `${run}.a`);
  const reply = await turns.call({ queue: QUEUE, lock: '1', complete, settle, next: 't4' });
  expect(reply.settled?.grants).toEqual([]);
  expect(reply.next).toMatchObject({ id: `${run}.b`, claim: { kind: 'run' } });
  expect((await queue.getJob(`${run}.b`))?.delay).toBe(0);
  const events = await app.store.redis.xrange(`${app.store.keys.base}:${QUEUE}:events`, '-', '+');
  const ofB = events.map(([, fields]) => fields).filter((fields) => fields.includes(`${run}.b`));
  expect(ofB.map((fields) => fields[1])).toEqual(['added', 'waiting', 'delayed', 'waiting', 'active']);
});

test('ends that come together wake one waiter each, and a line is looked at again only when it has changed', async () => {
  // Where nobody else is counted.
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const app = await createTestApp({ redisUrl: server.socket });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const tasks = Object.fromEntries(names.map((name) => [name, noop]));
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', limits: { agents: 3 }, tasks }));
  const turns = openTurns(app);
  const locks = ['1', '2', '3'];
  await Promise.all([...locks, '4'].map((lock) => turns.call({ ...take(lock), next: `t${lock}` })));
  const states = async () => (await app.view(run)).tasks.map(({ state }) => state);
  expect(await states()).toEqual(['running', 'running', 'running', 'parked', 'parked', 'parked']);
  await app.store.redis.config('RESETSTAT');
  const replies = await Promise.all(
    ['a', 'b'].map(async (name, index) => {
      const settle = settleArguments({ run, index, token: `t${index + 1}`, kind: 'completed', parentId: run });
      return turns.call({ queue: QUEUE, lock: locks[index]!, complete: await ending(app, `${run}.${name}`), settle });
    }),
  );
  expect(replies.map(({ settled }) => settled?.grants)).toEqual([[], []]);
  const stats = await app.store.redis.info('commandstats');
  const jobs = app.store.queues.queue(QUEUE);
  expect(await Promise.all(names.slice(3).map((name) => jobs.getJobState(`${run}.${name}`)))).toEqual([
    'prioritized',
    'prioritized',
    'delayed',
  ]);
  // Twice the line of the run's own limit, once that of the agents of all runs.
  expect(/cmdstat_zrange:calls=(\d+)/.exec(stats)?.[1]).toBe('3');
});

test('of two with the same place, each in a line of its own, the one that the plan names first is next', async () => {
  const app = await createTestApp({ overrides: { agents: 100 } });
  const tasks = { a: noop, b: noop, c: { ...noop, phase: 'planning' }, d: { ...noop, phase: 'planning' } };
  const limits = { agents: 2, phases: { implementation: 1 } };
  const turns = openTurns(app);
  // By chance it would be right half of the time.
  for (let count = 0; count < 10; count++) {
    const { runId: run } = await app.submit(testPlan({ barrier: 'none', limits, tasks }));
    const lock = (name: string) => `${count}${name}`;
    const taken: string[] = [];
    for (const name of ['1', '2', '3']) {
      taken.push(idOf(await turns.call({ queue: QUEUE, lock: lock(name), next: lock(name) })));
    }
    expect(taken).toEqual([`${run}.a`, `${run}.c`, 'ask']);
    const waiting = ['waiting for phase implementation', 'waiting for agents of this run'];
    expect((await app.view(run)).tasks.flatMap(({ reason }) => reason ?? [])).toEqual(waiting);
    const settle = settleArguments({ run, index: 0, token: lock('1'), kind: 'completed', parentId: run });
    const turn = { queue: QUEUE, lock: lock('1'), complete: await ending(app, `${run}.a`), settle, next: lock('4') };
    expect(idOf(await turns.call(turn))).toBe(`${run}.b`);
  }
});

test('a long line of tasks that have to wait is put aside in several calls', async () => {
  const app = await createTestApp();
  const names = Array.from({ length: 120 }, (_, index) => `t${index}`);
  const tasks = Object.fromEntries(names.map((name) => [name, { ...noop, takes: { gpu: 1 } }]));
  const { runId: run } = await app.submit(testPlan({ barrier: 'none', limits: { resources: { gpu: 1 } }, tasks }));
  const turns = openTurns(app);
  const nexts: string[] = [];
  for (const lock of ['1', '2', '3', '4']) nexts.push(idOf(await turns.call({ ...take(lock), next: lock })));
  expect(nexts).toEqual([`${run}.t0`, 'again', 'again', 'ask']);
  expect((await app.view(run)).run.counts).toMatchObject({ running: 1, parked: 119 });
});

test('a job is not completed when its task is not, and none is taken then', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, b: noop });
  const turns = openTurns(app);
  await turns.call({ queue: QUEUE, lock: 'l', next: 'one' });
  const settle = settleArguments({ run, index: 0, token: 'another', kind: 'completed' });
  const reply = await turns.call({ ...take('l'), complete: await ending(app, `${run}.a`), settle });
  expect(reply).toEqual({
    settled: expect.objectContaining({ status: 'superseded' }),
    isCompleted: false,
    next: 'none',
  });
  expect(await app.store.queues.queue(QUEUE).getJobState(`${run}.a`)).toBe('active');
  expect(await app.store.queues.queue(QUEUE).getJobState(`${run}.b`)).toBe('prioritized');
});

test('an answer that was lost is given again: nothing is completed, taken or claimed twice', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, b: noop, c: noop });
  await openTurns(app, ['n1']).call({ queue: QUEUE, lock: 'l', next: 'one' });
  const turn: Turn = {
    queue: QUEUE,
    lock: 'l',
    complete: await ending(app, `${run}.a`),
    settle: settleArguments({ run, index: 0, token: 'one', kind: 'completed', parentId: run }),
    next: 'two',
  };
  const first = await openTurns(app, ['n2']).call(turn);
  const before = await readQueues(app, run);
  const again = await openTurns(app, ['n2']).call(turn);
  expect(again).toMatchObject({ isCompleted: true, next: { id: `${run}.b`, claim: { kind: 'run', attempt: 1 } } });
  expect(idOf(again)).toBe(idOf(first));
  expect(again.settled).toMatchObject({ status: 'already', state: 'completed' });
  const after = await readQueues(app, run);
  expect(Object.keys(after)).toEqual(Object.keys(before));
  expect(after[`BASE:${QUEUE}:active`]).toEqual(before[`BASE:${QUEUE}:active`]);
  // With another nonce it is another turn.
  const third = await openTurns(app, ['n3']).call(take('l2'));
  expect(idOf(third)).toBe(`${run}.c`);
});

test('what was completed stays completed when the lost answer is asked for while other tasks wait in the outbox', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, b: noop, c: noop });
  await openTurns(app, ['n1']).call(take('l'));
  const settle = settleArguments({ run, index: 0, token: 'claim-l', kind: 'completed', parentId: run });
  const turn: Turn = { ...take('l'), complete: await ending(app, `${run}.a`), settle };
  const first = await openTurns(app, ['n2']).call(turn);
  await app.store.redis.zadd(app.store.keys.run(run, 'outbox'), 1, '2');
  const again = await openTurns(app, ['n2']).call(turn);
  expect([first.isCompleted, again.isCompleted]).toEqual([true, true]);
  expect(idOf(again)).toBe(idOf(first));
});

test('what a claim lets go by giving its task up stands in the outbox until its jobs are added', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, b: { ...noop, needs: [{ task: 'a', when: 'failed' }] } });
  for (const token of ['1', '2', '3'])
    await app.store.record.claim({ run, index: 0, token }, 'w', 0, { isAlone: true });
  const { next } = await openTurns(app).call(take('l'));
  expect(next).toMatchObject({ id: `${run}.a`, claim: { kind: 'settled', state: 'failed', outbox: [{ index: 1 }] } });
  expect(await app.store.redis.zrange(app.store.keys.run(run, 'outbox'), '0', '-1')).toEqual(['1']);
});

test('what BullMQ has to look at itself is left to it', async () => {
  const app = await createTestApp();
  const run = await submit(app, { a: noop, b: noop });
  const { redis, keys } = app.store;
  const [turns, queue] = [openTurns(app), app.store.queues.queue(QUEUE)];
  await queue.setGlobalConcurrency(1);
  expect((await turns.call(take('l'))).next).toBe('ask');
  await queue.removeGlobalConcurrency();
  await queue.pause();
  expect((await turns.call(take('l'))).next).toBe('ask');
  await queue.resume();
  await queue.add('foreign', {}, { jobId: 'waits' });
  expect((await turns.call(take('l'))).next).toBe('ask');
  await queue.remove('waits');
  // Due since a second: a look before it is due would take one of the run's own jobs.
  await queue.add('foreign', {}, { jobId: 'due', delay: 1, timestamp: Date.now() - 1000 });
  expect((await turns.call(take('l'))).next).toBe('ask');
  await queue.remove('due');
  const reply = await turns.call(take('l'));
  expect(idOf(reply)).toBe(`${run}.a`);
  const { parent: _, ...orphan } = await ending(app, `${run}.a`);
  expect(await turns.call({ ...take('l'), complete: orphan })).toMatchObject({ isCompleted: false, next: 'none' });
  // Somebody else's lock by now.
  await redis.set(`${keys.base}:${QUEUE}:${run}.a:lock`, 'another');
  const end = await turns.call({ ...take('l'), complete: await ending(app, `${run}.a`) });
  expect(end).toMatchObject({ isCompleted: false, next: 'none' });
  expect(await queue.getJobState(`${run}.a`)).toBe('active');
});

test('a job whose data are not those of a task is handed out unclaimed', async () => {
  const app = await createTestApp();
  const queue = app.store.queues.queue(QUEUE);
  for (const data of [{}, { v: 1, run: 7, i: 0 }, { v: 1, run: 'r', i: -1 }, { v: 1, run: 'r', i: 0.5 }])
    await queue.add('foreign', data, { priority: 1 });
  const turns = openTurns(app);
  const replies = await Promise.all(['1', '2', '3', '4'].map((lock) => turns.call({ queue: QUEUE, lock, next: lock })));
  expect(replies.map(({ next }) => (typeof next === 'string' ? next : next.claim))).toEqual([null, null, null, null]);
});

test('what fails in one call does not take the others with it', async () => {
  const app = await createTestApp();
  const [run, broken] = [await submit(app, { a: noop }), await submit(app, { a: noop })];
  const turns = openTurns(app);
  await turns.call({ queue: QUEUE, lock: 'l1', next: 't1' });
  await turns.call({ queue: QUEUE, lock: 'l2', next: 't2' });
  await app.store.redis.hset(app.store.keys.run(broken), 't0', 'no JSON');
  const end = async (id: string, lock: string, token: string): Promise<Turn> => ({
    queue: QUEUE,
    lock,
    complete: await ending(app, `${id}.a`),
    settle: settleArguments({ run: id, index: 0, token, kind: 'completed', parentId: id }),
  });
  const ends = [await end(broken, 'l2', 't2'), await end(run, 'l1', 't1')];
  const answers = await Promise.allSettled(ends.map((turn) => turns.call(turn)));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect((await app.view(run)).run.state).toBe('completed');
  expect(await app.store.queues.queue(QUEUE).getJobState(`${broken}.a`)).toBe('active');
});

test('a job whose end fails halfway keeps its lock, whatever else ends in the call', async () => {
  const app = await createTestApp();
  const [run, broken] = [await submit(app, { a: noop }), await submit(app, { a: noop })];
  const { redis, keys } = app.store;
  const turns = openTurns(app);
  await turns.call({ queue: QUEUE, lock: 'l1', next: 't1' });
  await turns.call({ queue: QUEUE, lock: 'l2', next: 't2' });
  await redis.set(`${keys.base}:runs:${broken}:processed`, 'no hash');
  const ends = [
    { queue: QUEUE, lock: 'l2', complete: await ending(app, `${broken}.a`) },
    { queue: QUEUE, lock: 'l1', complete: await ending(app, `${run}.a`) },
  ];
  const answers = await Promise.allSettled(ends.map((turn) => turns.call(turn)));
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  const locks = await redis.mget([broken, run].map((id) => `${keys.base}:${QUEUE}:${id}.a:lock`));
  expect(locks).toEqual(['l2', null]);
});

test("without the configuration's word planq writes none of BullMQ's events", async () => {
  const app = await createTestApp();
  const events = `${app.store.keys.base}:${QUEUE}:events`;
  await submit(app, { a: noop, b: { ...noop, needs: 'a' } });
  const before = await app.store.redis.xrange(events, '-', '+');
  await app.startPool();
  await waitUntil('both are done', async () => (await app.store.queues.queue(QUEUE).getCompletedCount()) === 2);
  expect(await app.store.redis.xrange(events, '-', '+')).toEqual(before);
});
