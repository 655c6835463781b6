/**
 * R7: limits are never exceeded at any instant and never leak, and who wants much gets its turn.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createChance } from './chance.ts';
import { createLab, type Lab, superviseWorkers } from './lab.ts';
import { findLost, findOverlaps, findStuck, mostInUse } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const CAPACITY = 3;
const WORKERS = 6;
const KILLS = 12;
const STOPS = 2;
const LOCK_MS = 2000;
/** Of the calm part, in which a big claim is timed among small ones. */
const CALM_WORK_MS = 1000;

test('R7', async (context) => {
  const verdict = openVerdict('R7', context);
  const chance = createChance('R7');
  const lab = await createLab({ lockMs: LOCK_MS, config: { concurrency: 2 } });
  const waitMs = await timeBigClaim(lab);
  const tasks = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => {
      const slots = chance.between(1, CAPACITY);
      const orders = { work: chance.between(200, 800), takes: slots, ticks: true };
      return [`t${at}`, lab.task(orders, { takes: { slots }, retries: 10 })];
    }),
  );
  const { runId } = await lab.app.submit(testPlan({ limits: { resources: { slots: CAPACITY } }, tasks }));
  const fleet = superviseWorkers(lab, WORKERS);
  const sampler = sampleUse(lab);
  let [kills, stops] = [0, 0];
  while (kills < KILLS) {
    await sleep(chance.between(500, 1500));
    const worker = fleet.up().length > 0 ? chance.pick(fleet.up()) : undefined;
    if (stops < STOPS && kills === 4 * (stops + 1)) {
      stops++;
      worker?.child.kill('SIGSTOP');
      await sleep(LOCK_MS * 1.5);
      worker?.child.kill('SIGCONT');
    }
    if (await fleet.kill(worker)) kills++;
    if (kills === KILLS / 2) {
      await lab.redis.kill();
      await lab.redis.start();
    }
  }
  const views = await lab.settled([runId], 120_000);
  await waitUntil('nothing is held', async () => (await usedSlots(lab)) === 0, 2 * LOCK_MS).catch(() => undefined);
  const entries = (await lab.journal()).filter(({ run }) => run === runId);
  const used = await lab.app.store.redis.hgetall(lab.app.store.keys.used);
  verdict.count('most in use', mostInUse(entries), CAPACITY);
  verdict.count('most recorded', sampler.stop(), CAPACITY);
  verdict.count(
    'in use at rest',
    Object.values<string>(used).reduce((sum, value) => sum + Math.abs(Number(value)), 0),
    0,
  );
  verdict.count('overlaps', findOverlaps(entries).length, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('wait of a big claim', Math.round(waitMs), 10 * CALM_WORK_MS, ' ms');
  verdict.fact(`${WORKERS} workers, ${views[0]?.tasks.length} tasks taking 1 to ${CAPACITY} of ${CAPACITY}`);
  verdict.fact(`${kills} worker kills, ${stops} stops, 1 Redis kill`);
  if (Object.keys(used).length > 0) verdict.log(JSON.stringify(used));
  for (const view of views.filter((view) => findStuck([view]).length > 0)) verdict.log(JSON.stringify(view));
  verdict.conclude();
});

/** Small claims keep every slot in use; then one comes that wants all. @returns milliseconds until it started */
async function timeBigClaim(lab: Lab): Promise<number> {
  const limits = { resources: { slots: CAPACITY } };
  const small = lab.task({ work: CALM_WORK_MS, takes: 1 }, { takes: { slots: 1 } });
  const stream = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`small${at}`, small]));
  const worker = await lab.startWorker();
  const second = await lab.startWorker();
  const first = await lab.app.submit(testPlan({ limits, tasks: stream }));
  await waitUntil('all slots are in use', async () => (await usedSlots(lab)) === CAPACITY, 20_000);
  const big = lab.task({ work: 100, takes: CAPACITY }, { takes: { slots: CAPACITY }, priority: 'high' });
  const submittedAt = performance.now();
  const { runId } = await lab.app.submit(testPlan({ limits, tasks: { big } }));
  const isStarted = async (): Promise<boolean> => (await lab.journal()).some(({ run }) => run === runId);
  await waitUntil('the big claim has its turn', isStarted, 60_000);
  const waitMs = performance.now() - submittedAt;
  await lab.settled([first.runId, runId], 60_000);
  for (const process of [worker, second]) {
    process.child.kill('SIGTERM');
    await process.exited;
  }
  return waitMs;
}

async function usedSlots(lab: Lab): Promise<number> {
  return Number((await lab.app.store.redis.hget(lab.app.store.keys.used, 'res:slots')) ?? 0);
}

/** Looks every 15 ms. `stop` gives the most that the record ever said. */
function sampleUse(lab: Lab): { stop(): number } {
  let most = 0;
  let isOver = false;
  const sample = async (): Promise<void> => {
    while (!isOver) {
      most = Math.max(most, await usedSlots(lab));
      await sleep(15);
    }
  };
  void sample();
  return {
    stop: () => {
      isOver = true;
      return most;
    },
  };
}
