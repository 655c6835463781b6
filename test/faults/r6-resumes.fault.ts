/**
 * R6: a run that failed resumes and repeats only what failed, though a worker is killed in the middle of that.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'vitest';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { ROOT } from '../support/repository.ts';
import { createChance } from './chance.ts';
import { createLab, type Lab, superviseWorkers } from './lab.ts';
import { createStages } from './load.ts';
import { findEarly, findLost, findStuck } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const MAIN = path.join(ROOT, 'src', 'cli', 'main.ts');

test('R6', async (context) => {
  const verdict = openVerdict('R6', context);
  const lab = await createLab({ lockMs: 2000, config: { concurrency: 8 } });
  // Long enough that all agents of a stage are at work when the worker is killed.
  const plan = createStages(lab, createChance('R6'), { dead: true, work: [1500, 2000] });
  const { runId } = await lab.app.submit(testPlan(plan));
  const fleet = superviseWorkers(lab, 2);
  const before = await lab.app.atRest(runId, 90_000);
  const completedBefore = before.tasks.filter((task) => task.state === 'completed').map((task) => task.id);
  verdict.count('not blocked at first', before.run.state === 'blocked' ? 0 : 1, 0);
  // A person who knows BullMQ presses "retry" there: the record has not changed, so nothing may start.
  await lab.app.store.queues.queue('master-development').retryJobs({ state: 'failed' });
  await writeFile(lab.path('healed'), '');
  const code = await planq(lab, 'retry', runId);
  verdict.count('exit code of planq retry', code, 0);
  const isResumed = async (): Promise<boolean> =>
    (await lab.journal()).some(({ task, event }) => event === 'start' && task.startsWith('s4-'));
  await waitUntil('the last stage is at work', isResumed, 60_000);
  await fleet.kill(fleet.up()[0]);
  const views = await lab.settled([runId], 60_000);
  const entries = await lab.journal();
  const successes = new Map<string, number>();
  for (const { event, code: exit, task } of entries)
    if (event === 'end' && exit === 0) successes.set(task, (successes.get(task) ?? 0) + 1);
  const { tasks, run } = views[0]!;
  const wrong = tasks.filter((task) => successes.get(task.id) !== 1);
  for (const task of wrong) verdict.log(`${task.id}: ${successes.get(task.id) ?? 0} successes`);
  verdict.count('not exactly once successful', wrong.length, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('order', findEarly(views, entries).length, 0);
  verdict.count('not completed', run.counts.total - run.counts.completed, 0);
  verdict.fact(`${completedBefore.length} of ${tasks.length} tasks completed before, planq retry, 1 worker kill`);
  verdict.conclude();
});

async function planq(lab: Lab, ...argv: string[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...argv, '--json'], {
    cwd: lab.app.projectDir,
    env: { PATH: process.env.PATH, ...lab.app.env },
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
