/**
 * R1: no acknowledged run is lost when any process of ours or Redis is killed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createChance } from './chance.ts';
import { createLab, type Lab, superviseWorkers } from './lab.ts';
import { createStages } from './load.ts';
import { findEarly, findLost, findStuck, findTwice } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const RUNS = 12;
const FAULTS_MS = 35_000;
const DONE_WITHIN_MS = 60_000;
/** Where a worker ends itself; some of those that are started do. */
const CRASH_POINTS = ['claimed', 'verified', 'settled', 'enqueued'];
const SUBMITTER = fileURLToPath(new URL('./submit-main.ts', import.meta.url));

test('R1', async (context) => {
  const verdict = openVerdict('R1', context);
  const chance = createChance('R1');
  const lab = await createLab({ lockMs: 2000, config: { concurrency: 4 } });
  const plans = Array.from({ length: RUNS }, (_, run) => createStages(lab, chance, { dead: run === 0 }));
  let crashes = 0;
  const fleet = superviseWorkers(lab, 3, (count) => {
    if (count < 3 || count % 3 !== 0) return {};
    crashes++;
    return { PLANQ_CRASH_AT: chance.pick(CRASH_POINTS) };
  });
  const submitted = submitAll(lab, plans);
  const endsAt = performance.now() + FAULTS_MS;
  const redisKills = [0.2, 0.4, 0.6, 0.8].map((part) => endsAt - FAULTS_MS * (1 - part));
  let kills = 0;
  while (performance.now() < endsAt) {
    await sleep(chance.between(700, 1600));
    if (await fleet.kill(chance.pick(fleet.up()))) kills++;
    if (redisKills[0] === undefined || performance.now() < redisKills[0]) continue;
    redisKills.shift();
    await lab.redis.kill();
    await lab.redis.start();
    verdict.log('Redis killed');
  }
  const lastFaultAt = performance.now();
  const runs = await submitted;
  const views = await lab.settled(runs, DONE_WITHIN_MS);
  const doneMs = performance.now() - lastFaultAt;
  const [entries, events] = [await lab.journal(), await lab.events()];
  const failed = await findFailed(lab, runs);
  for (const text of findTwice(views, entries, events)) verdict.log(`twice: ${text}`);
  for (const text of [...findLost(views, entries), ...findStuck(views)]) verdict.log(`lost or stuck: ${text}`);
  for (const view of views.filter((view) => findStuck([view]).length > 0)) verdict.log(JSON.stringify(view));
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('twice', findTwice(views, entries, events).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('order', findEarly(views, entries).length, 0);
  verdict.count('failed without cause', failed.withoutCause, 0);
  verdict.count('done after the last fault', Math.round(doneMs / 1000), DONE_WITHIN_MS / 1000, ' s');
  verdict.fact(`${RUNS} runs, ${views.reduce((sum, view) => sum + view.tasks.length, 0)} tasks`);
  verdict.fact(`${kills} worker kills, ${crashes} crash points, 4 Redis kills, 2 submitters killed`);
  verdict.fact(`${failed.suspects} tasks gave up after 3 killed workers`);
  verdict.conclude();
});

/** Some while the faults are under way. The first two by submitters that die; whoever asks again gets the same run. */
async function submitAll(lab: Lab, plans: readonly Record<string, unknown>[]): Promise<string[]> {
  const runs: string[] = [];
  for (const [at, plan] of plans.entries()) {
    const key = `run-${at}`;
    runs.push(at < 2 ? await submitTwice(lab, plan, key) : (await lab.app.submit(testPlan(plan), { key })).runId);
    await sleep(1500);
  }
  return runs;
}

async function submitTwice(lab: Lab, plan: Record<string, unknown>, key: string): Promise<string> {
  await writeFile(lab.path(`${key}.json`), JSON.stringify({ name: 'test', ...plan }));
  const dieAt = key === 'run-0' ? 'add' : 'confirm';
  const first = await submitByProcess(lab, key, dieAt);
  if (first.signal !== 'SIGKILL') throw new Error(`the submitter did not die at "${dieAt}"`);
  return waitUntil('a second try gets through', async () => (await submitByProcess(lab, key)).run || undefined, 20_000);
}

async function submitByProcess(lab: Lab, key: string, dieAt = ''): Promise<{ run: string; signal: string | null }> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), SUBMITTER, `${key}.json`, key, dieAt],
    {
      cwd: lab.app.projectDir,
      env: { PATH: process.env.PATH, ...lab.app.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  let run = '';
  child.stdout.on('data', (chunk: Buffer) => {
    run += chunk.toString();
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { run: run.trim(), signal };
}

/** Failures must be the dead task's, or those of a task whose workers were killed three times. */
async function findFailed(lab: Lab, runs: readonly string[]): Promise<{ suspects: number; withoutCause: number }> {
  let [suspects, withoutCause] = [0, 0];
  for (const run of runs) {
    const { tasks } = await lab.app.view(run);
    for (const [index, task] of tasks.entries()) {
      if (task.state !== 'failed' || task.id === 'dead') continue;
      const { c = 0 } = parseTaskRecord(await lab.app.store.record.readTask(run, index));
      if (c >= 3) suspects++;
      else withoutCause++;
    }
  }
  return { suspects, withoutCause };
}
