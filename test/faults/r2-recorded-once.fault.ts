/**
 * R2: an attempt's outcome is recorded once; a late one changes nothing and is told of.
 */
import { writeFile } from 'node:fs/promises';
import { test } from 'vitest';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createLab, type Lab } from './lab.ts';
import { findTwice } from './oracle.ts';
import { startProxy } from './proxy.ts';
import { openVerdict } from './verdict.ts';

const TASKS = 10;
const WAYS = ['stopped', 'cut off'] as const;

test('R2', async (context) => {
  const verdict = openVerdict('R2', context);
  const lab = await createLab({ lockMs: 2000, config: { concurrency: TASKS } });
  let [changed, superseded, late] = [0, 0, 0];
  const runs: string[] = [];
  for (const way of WAYS) {
    const { run, tokens } = await takeOver(lab, way);
    runs.push(run);
    const before = await lab.app.store.record.readTasks(run);
    const told = (await lab.events()).filter((event) => event.run === run && event.type === 'task-superseded').length;
    if (told !== TASKS) verdict.log(`${way}: ${told} late outcomes were told`);
    superseded += told;
    // The latest that a late outcome can be: when the task has long completed.
    for (const [index, token] of tokens.entries()) {
      const reply = await lab.app.store.record.settle({ run, index, token, kind: 'failed', reason: 'late' });
      if (reply.status === 'superseded') late++;
      else verdict.log(`${way}: a late outcome was ${reply.status}`);
    }
    const after = await lab.app.store.record.readTasks(run);
    changed += Object.keys(before).filter((index) => before[index] !== after[index]).length;
  }
  const views = await Promise.all(runs.map((run) => lab.app.view(run)));
  const [entries, events] = [await lab.journal(), await lab.events()];
  const total = WAYS.length * TASKS;
  for (const text of findTwice(views, entries, events)) verdict.log(`twice: ${text}`);
  verdict.count('recorded twice', findTwice(views, entries, events).length, 0);
  verdict.count('changed by a late outcome', changed, 0);
  verdict.count('late outcomes not told', 2 * total - superseded - late, 0);
  verdict.count(
    'not completed',
    views.reduce((sum, { run }) => sum + run.counts.total - run.counts.completed, 0),
    0,
  );
  verdict.fact(
    `${total} tasks taken over from a worker that was ${WAYS.join(' or ')}, ${superseded + late} late outcomes`,
  );
  verdict.conclude();
});

/** One worker has all tasks and is away until another has them, and both offer an outcome. @returns the first's tokens */
async function takeOver(lab: Lab, way: (typeof WAYS)[number]): Promise<{ run: string; tokens: string[] }> {
  const gate = lab.path(`open-${way}`);
  const tasks = Object.fromEntries(Array.from({ length: TASKS }, (_, at) => [`t${at}`, lab.task({ gate })]));
  const { runId } = await lab.app.submit(testPlan({ tasks }));
  const starts = async (): Promise<number> =>
    (await lab.journal()).filter(({ run, event }) => run === runId && event === 'start').length;
  const proxy = await startProxy(lab.redis.port);
  const first = await lab.startWorker({ REDIS_URL: proxy.url });
  await waitUntil('the first worker has all', async () => (await starts()) === TASKS, 20_000);
  const tokens = await Promise.all(Array.from({ length: TASKS }, (_, index) => tokenOf(lab, runId, index)));
  if (way === 'stopped') first.child.kill('SIGSTOP');
  else proxy.hold();
  const second = await lab.startWorker();
  await waitUntil('the second worker has all', async () => (await starts()) >= 2 * TASKS, 30_000);
  if (way === 'stopped') first.child.kill('SIGCONT');
  else proxy.release();
  const isTold = async (): Promise<boolean> =>
    (await lab.events()).filter((event) => event.run === runId && event.type === 'task-superseded').length >= TASKS;
  // Whoever counts sees how many were told.
  await waitUntil('the first worker has offered its outcomes', isTold, 15_000).catch(() => undefined);
  await writeFile(gate, '');
  await lab.app.atRest(runId, 30_000);
  for (const worker of [first, second]) {
    worker.child.kill('SIGKILL');
    await worker.exited;
  }
  return { run: runId, tokens };
}

async function tokenOf(lab: Lab, run: string, index: number): Promise<string> {
  return parseTaskRecord(await lab.app.store.record.readTask(run, index)).k ?? '';
}
