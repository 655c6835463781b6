/**
 * R13: deploys cost nothing: SIGTERM hands running tasks back, and the next workers go on.
 */
import { writeFile } from 'node:fs/promises';
import { test } from 'vitest';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { masterQueue } from '../../src/redis/keys.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { toLives } from './journal.ts';
import { createLab, type Lab } from './lab.ts';
import { findLost, findTwice } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const TASKS = 20;
const DEPLOYS = 5;
const WORKERS = 2;
const GRACE_MS = 1000;
const DRAIN_MS = 200;

test('R13', async (context) => {
  const verdict = openVerdict('R13', context);
  const lab = await createLab({
    lockMs: 5000,
    config: { times: { grace: `${GRACE_MS}ms`, drain: `${DRAIN_MS}ms` }, concurrency: TASKS / WORKERS },
  });
  const gate = lab.path('open');
  // Every fourth agent takes the whole grace to end.
  const tasks = Object.fromEntries(
    Array.from({ length: TASKS }, (_, at) => [`t${at}`, lab.task({ gate, ignoreTerm: at % 4 === 0 })]),
  );
  const { runId } = await lab.app.submit(testPlan({ tasks }));
  let slowestMs = 0;
  for (let deploy = 0; deploy < DEPLOYS; deploy++) {
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => lab.startWorker()));
    await allRunning(lab, runId, TASKS * (deploy + 1));
    const startedAt = performance.now();
    for (const worker of workers) worker.child.kill('SIGTERM');
    const codes = await Promise.all(workers.map((worker) => worker.exited));
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    if (codes.some((code) => code !== 0)) verdict.log(`deploy ${deploy}: workers ended with ${codes.join(', ')}`);
  }
  const { used, stalls, crashes } = await countCosts(lab, runId);
  await Promise.all(Array.from({ length: WORKERS }, () => lab.startWorker()));
  await allRunning(lab, runId, TASKS * (DEPLOYS + 1));
  await writeFile(gate, '');
  const views = [await lab.app.atRest(runId, 60_000)];
  const [entries, events] = [await lab.journal(), await lab.events()];
  verdict.count('attempts used', used, 0);
  verdict.count('stalls', stalls, 0);
  verdict.count('crashes', crashes, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('twice', findTwice(views, entries, events).length, 0);
  verdict.count('not completed', TASKS - views[0]!.run.counts.completed, 0);
  verdict.count('longest exit', Math.round(slowestMs), GRACE_MS + 5000, ' ms');
  verdict.fact(`${DEPLOYS} deploys of ${WORKERS} workers, ${TASKS} running tasks, grace ${GRACE_MS} ms`);
  verdict.conclude();
});

async function allRunning(lab: Lab, run: string, lives: number): Promise<void> {
  await waitUntil('all tasks run', async () => toLives(await lab.journal()).length === lives, 60_000);
  await waitUntil('the record says so', async () => (await lab.app.view(run)).run.counts.running === TASKS, 10_000);
}

async function countCosts(lab: Lab, run: string): Promise<{ used: number; stalls: number; crashes: number }> {
  const costs = { used: 0, stalls: 0, crashes: 0 };
  const queue = lab.app.store.queues.queue(masterQueue('development'));
  for (const [index, task] of (await lab.app.view(run)).tasks.entries()) {
    const record = parseTaskRecord(await lab.app.store.record.readTask(run, index));
    costs.used += (record.u ?? 0) + (task.attempt > 1 ? 1 : 0);
    costs.crashes += record.c ?? 0;
    costs.stalls += (await queue.getJob(`${run}.${task.id}`))?.stalledCounter ?? 0;
  }
  return costs;
}
