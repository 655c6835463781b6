/**
 * The keep rules: what goes, what stays, and that a pass costs what it removes.
 */
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { cancelRun } from '../../src/control/cancel-run.ts';
import { listDueRuns } from '../../src/control/prune-runs.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import { pause } from '../../src/control/steer.ts';
import { parseEvent } from '../../src/events/codec.ts';
import type { Event } from '../../src/events/event.ts';
import { splitEntry } from '../../src/redis/stream.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import type { KeepRules } from '../../src/runtime/config.ts';
import type { WorkerContext } from '../../src/workers/context.ts';
import { createPruner, type Pruner } from '../../src/workers/pruner.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const OFF: KeepRules = { completedMs: null, failedMs: null, cancelledMs: null, runs: null };
const HOUR = 3_600_000;

const agent = createScriptedAgent(
  ({ task }): Outcome => (task.id === 'bad' ? { kind: 'failed', reason: 'broken' } : { kind: 'completed' }),
);

const ONE = testPlan({ tasks: { a: { agent: 'scripted' }, b: { agent: 'scripted', needs: 'a' } } }, agent.kinds);
const BAD = testPlan({ 'on-failure': 'continue', tasks: { bad: { agent: 'scripted' } } }, agent.kinds);

/** A pruner that does nothing of its own accord: the workers of the test app keep everything of the test's time. */
function prunerOf(app: TestApp, keep: Partial<KeepRules>, clock: Clock = systemClock): Pruner {
  const config = { ...app.config, keep: { ...OFF, ...keep } };
  const parts = { store: app.store, config, clock, workerId: 'pruner', isQuiet: () => false };
  return createPruner(parts as unknown as WorkerContext);
}

/** One pass, whoever made the last one. */
async function pass(app: TestApp, pruner: Pruner): Promise<number | null> {
  await app.store.redis.del(app.store.keys.pruner);
  return pruner.pruneOnce();
}

const idsOf = (app: TestApp) => app.store.record.listRuns(1000);

async function finalised(app: TestApp, run: string): Promise<string> {
  await app.atRest(run);
  await waitUntil('it is finalised', async () => {
    if ((await app.store.redis.zscore(app.store.keys.ended, run)) !== null) return false;
    return (await app.store.queues.queue('runs').getJobState(run)) !== 'active';
  });
  return run;
}

/** As if it had ended so long ago. */
async function age(app: TestApp, run: string, ms: number): Promise<void> {
  const at = systemClock.now() - ms;
  const { state } = (await app.view(run)).run;
  await app.store.redis.hset(app.store.keys.run(run), 'finishedAt', at);
  await app.store.redis.zadd(`${app.store.keys.base}:past:${state}`, at, run);
}

async function eventsOf(app: TestApp): Promise<Event[]> {
  const entries = await app.store.redis.xrange(app.store.keys.events, '-', '+');
  return entries.flatMap(splitEntry).map(({ id, fields }) => parseEvent(id, fields));
}

test('three hundred ended runs come down to the limit in bounded passes, and nothing of theirs is left', async () => {
  const app = await createTestApp();
  await app.startPool({ agents: agent.agents });
  const submit = async (at: number) => (await app.submit(ONE, { workspace: `w${at % 20}-${at}` })).runId;
  await finalised(app, await submit(1000));
  const kept = await idsOf(app);
  const pruner = prunerOf(app, { runs: 1 });
  /** Names of keys, a run's id and the passing marks of who does what now left out. */
  const keysNow = async () =>
    (await app.store.redis.keys(`${app.store.keys.base}*`))
      .map((key) => all.reduce((name, run) => name.replace(run, 'RUN'), key))
      .filter((key) => !/:(sweeper|pruner|lines|stalled-check|stalled|marker)$/.test(key))
      .sort();
  const all = [...kept];
  const baseline = await keysNow();
  for (let at = 0; at < 300; at++) all.push(await submit(at));
  for (const run of all) await finalised(app, run);
  expect((await keysNow()).length).toBeGreaterThan(baseline.length + 300 * 5);
  const removed: (number | null)[] = [];
  while ((await idsOf(app)).length > 1) removed.push(await pass(app, pruner));
  expect(removed).toEqual([50, 50, 50, 50, 50, 50]);
  // The oldest have gone: the newest of all stays.
  expect(await idsOf(app)).not.toEqual(kept);
  expect(await keysNow()).toEqual(baseline);
  expect(await pass(app, pruner)).toBe(0);
  const told = (await eventsOf(app)).filter(({ type }) => type === 'runs-pruned');
  expect(told).toHaveLength(6);
  expect(told[0]).toMatchObject({ count: 50, worker: 'pruner' });
}, 120_000);

test('each state has its own age, and what has no rule stays', async () => {
  const app = await createTestApp();
  await app.startPool({ agents: agent.agents });
  const completed = await finalised(app, (await app.submit(ONE, { workspace: 'a' })).runId);
  const young = await finalised(app, (await app.submit(ONE, { workspace: 'b' })).runId);
  const failed = await finalised(app, (await app.submit(BAD, { workspace: 'c' })).runId);
  for (const run of [completed, failed]) await age(app, run, 2 * HOUR);
  const rules = { ...OFF, completedMs: HOUR, failedMs: 3 * HOUR };
  expect((await listDueRuns(app.store, rules)).map(({ id }) => id)).toEqual([completed]);
  const pruner = prunerOf(app, rules);
  expect(await pass(app, pruner)).toBe(1);
  expect((await idsOf(app)).sort()).toEqual([young, failed].sort());
  expect(await pass(app, prunerOf(app, OFF))).toBe(0);
  await age(app, failed, 4 * HOUR);
  expect(await pass(app, pruner)).toBe(1);
  expect(await idsOf(app)).toEqual([young]);
});

test('what is too old does not count twice: the limit takes only what age has left', async () => {
  const app = await createTestApp();
  await app.startPool({ agents: agent.agents });
  const failed = await finalised(app, (await app.submit(BAD, { workspace: 'f' })).runId);
  await age(app, failed, 9 * HOUR);
  for (const at of [1, 2])
    await age(app, await finalised(app, (await app.submit(ONE, { workspace: `w${at}` })).runId), 2 * HOUR);
  expect(await pass(app, prunerOf(app, { completedMs: HOUR, runs: 1 }))).toBe(2);
  expect(await idsOf(app)).toEqual([failed]);
});

test('runs that wait for a person or go on are never removed, however old, and a retried one is not', async () => {
  const app = await createTestApp();
  const paused = (await app.submit(ONE, { workspace: 'p' })).runId;
  await pause(app.store, systemClock, { kind: 'run', run: paused }, 'ann', '');
  await app.startPool({ agents: agent.agents });
  const blocked = (
    await app.submit(testPlan({ tasks: { bad: { agent: 'scripted' } } }, agent.kinds), { workspace: 'b' })
  ).runId;
  await app.atRest(blocked);
  const failed = await finalised(app, (await app.submit(BAD, { workspace: 'f' })).runId);
  const rules = { completedMs: 0, failedMs: 0, cancelledMs: 0, runs: 1 };
  const due = async () => (await listDueRuns(app.store, { ...OFF, ...rules })).map(({ id }) => id);
  expect(await due()).toEqual([failed]);
  await pause(app.store, systemClock, { kind: 'all' }, 'ann', '');
  await retryRun(app.store, systemClock, failed);
  expect(await due()).toEqual([]);
  expect(await pass(app, prunerOf(app, rules))).toBe(0);
  expect((await idsOf(app)).sort()).toEqual([paused, blocked, failed].sort());
  await cancelRun(app.store, systemClock, blocked, 5000);
  await waitUntil('it may go', async () => (await due()).length === 1);
});

test('a run that cannot go yet keeps no other from going, and goes when it can', async () => {
  const app = await createTestApp();
  await app.startPool({ agents: agent.agents });
  const held = await finalised(app, (await app.submit(ONE, { workspace: 'a' })).runId);
  await finalised(app, (await app.submit(ONE, { workspace: 'b' })).runId);
  const lock = `${app.store.keys.base}:master-development:${held}.a:lock`;
  await app.store.redis.set(lock, 'somebody');
  const pruner = prunerOf(app, { completedMs: 0 });
  expect(await pass(app, pruner)).toBe(1);
  expect(await idsOf(app)).toEqual([held]);
  await app.store.redis.del(lock);
  // Passed over once more, then looked at again.
  expect(await pass(app, pruner)).toBe(0);
  expect(await pass(app, pruner)).toBe(1);
});

test('one worker of the fleet prunes at a time, and the passes keep their distance', async () => {
  const app = await createTestApp();
  const pruner = prunerOf(app, { completedMs: 0 });
  const both = await Promise.all([pruner.pruneOnce(), prunerOf(app, { completedMs: 0 }).pruneOnce()]);
  expect(both.sort()).toEqual([0, null]);
  expect(await pruner.pruneOnce()).toBeNull();
  const left = await app.store.redis.pttl(app.store.keys.pruner);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(app.config.times.sweepMs * 2);
});

test('a worker prunes by itself', async () => {
  const app = await createTestApp({ lockMs: 600 });
  await app.startPool({ agents: agent.agents, keep: { ...OFF, completedMs: 0 } });
  await app.submit(ONE);
  await waitUntil('it is gone', async () => (await idsOf(app)).length === 0);
});
