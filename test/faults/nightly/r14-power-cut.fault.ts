/**
 * R14: a power cut loses at most about the last second, and the same plans submitted again bring that back. What the disk
 * did not get is a copy of the append-only file that is up to a second old.
 */
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { testPlan } from '../../support/app.ts';
import { waitUntil } from '../../support/processes.ts';
import { createChance } from '../chance.ts';
import { monotonicMs } from '../journal.ts';
import { createLab, type Lab } from '../lab.ts';
import { createStages } from '../load.ts';
import { findLost, findStuck } from '../oracle.ts';
import { openVerdict } from '../verdict.ts';

const CUTS = 5;
const RUNS = 3;
/** A task that ended so long before the copy may not have been settled in it. */
const SETTLE_MS = 500;

test('R14', async (context) => {
  const verdict = openVerdict('R14', context);
  const chance = createChance('R14');
  const lab = await createLab({ lockMs: 2000, config: { concurrency: 4 } });
  const keys = new Map<string, Record<string, unknown>>();
  let atRisk = 0;
  let forgotten = 0;
  for (let cut = 0; cut < CUTS; cut++) {
    const workers = await Promise.all([lab.startWorker(), lab.startWorker()]);
    for (let run = 0; run < RUNS; run++) keys.set(`${cut}-${run}`, createStages(lab, chance));
    await submitAll(lab, keys);
    await sleep(chance.between(2000, 5000));
    copyDisk(lab, 'save');
    const savedAt = monotonicMs();
    // Accepted in the second that the disk never saw.
    keys.set(`${cut}-late`, createStages(lab, chance, { stages: 2 }));
    await submitAll(lab, keys);
    await sleep(chance.between(300, 900));
    // Everything on the machine ends at once.
    for (const worker of workers) worker.child.kill('SIGKILL');
    await lab.redis.kill();
    const ends = (await lab.journal()).filter(
      ({ event, code, at }) => event === 'end' && code === 0 && at > savedAt - SETTLE_MS,
    );
    atRisk += ends.length;
    await waitUntil('the agents are gone', async () => isQuiet(lab), 20_000);
    copyDisk(lab, 'restore');
    await lab.redis.start();
    forgotten += (await submitAll(lab, keys)).created;
  }
  await Promise.all([lab.startWorker(), lab.startWorker()]);
  const { runs } = await submitAll(lab, keys);
  const views = await lab.settled(runs, 120_000);
  const entries = await lab.journal();
  const successes = entries.filter(({ event, code }) => event === 'end' && code === 0);
  const again = successes.length - new Set(successes.map(({ run, task }) => `${run}.${task}`)).size;
  verdict.count('lost after the same plans again', findLost(views, entries).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('not completed', views.filter(({ run }) => run.state !== 'completed').length, 0);
  verdict.count('twice', again, atRisk);
  verdict.fact(`${CUTS} power cuts, ${runs.length} runs, ${forgotten} of them forgotten and submitted again`);
  verdict.conclude();
});

/** The same key is the same run, as long as anybody remembers it. */
async function submitAll(
  lab: Lab,
  plans: ReadonlyMap<string, Record<string, unknown>>,
): Promise<{ runs: string[]; created: number }> {
  const submitted = [];
  for (const [key, plan] of plans) submitted.push(await lab.app.submit(testPlan(plan), { key }));
  return { runs: submitted.map(({ runId }) => runId), created: submitted.filter(({ created }) => created).length };
}

function copyDisk(lab: Lab, way: 'save' | 'restore'): void {
  const [disk, copy] = ['appendonlydir', 'copy'].map((name) => path.join(lab.redis.folder, name)) as [string, string];
  const [from, to] = way === 'save' ? [disk, copy] : [copy, disk];
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}

/** Nobody has written into the journal for a while. */
async function isQuiet(lab: Lab): Promise<boolean> {
  const before = (await lab.journal()).length;
  await sleep(1000);
  return (await lab.journal()).length === before;
}
