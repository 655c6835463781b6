/**
 * R6: a run that failed resumes and repeats only what failed, though a worker is killed in the middle of that.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'vitest';
import type { RunView } from '../../src/flows/run-view.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { ROOT } from '../support/repository.ts';
import { createChance } from './chance.ts';
import type { Entry } from './journal.ts';
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
  const runs = [(await lab.app.submit(testPlan(plan))).runId, (await lab.app.submit(testPlan(plan))).runId] as const;
  const fleet = superviseWorkers(lab, 2);
  const before = await Promise.all(runs.map((run) => lab.app.atRest(run, 90_000)));
  verdict.count('not blocked at first', before.filter(({ run }) => run.state !== 'blocked').length, 0);
  await writeFile(lab.path('healed'), '');
  verdict.count('exit code of planq retry', await planq(lab, 'retry', runs[0]), 0);
  // What the button of Bull Board does.
  await (await lab.app.store.queues.queue('master-development').getJob(`${runs[1]}.dead`))?.retry('failed');
  const isAtWork = async (run: string): Promise<boolean> => countStarts(await lab.journal(), run, 'dead') === 2;
  for (const run of runs) await waitUntil(`the dead task of ${run} is at work again`, () => isAtWork(run), 60_000);
  await fleet.kill(fleet.up()[0]);
  const views = await lab.settled(runs, 60_000);
  const entries = await lab.journal();
  const wrong = views.flatMap(({ run, tasks }) =>
    tasks.filter((task) => countSuccesses(entries, run.id, task.id) !== 1).map((task) => `${run.id} ${task.id}`),
  );
  for (const name of wrong) verdict.log(`${name}: not one success`);
  verdict.count('not exactly once successful', wrong.length, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('order', findEarly(views, entries).length, 0);
  verdict.count(
    'not completed',
    sum(views, ({ counts }) => counts.total - counts.completed),
    0,
  );
  const done = sum(before, ({ counts }) => counts.completed);
  verdict.fact(`${done} of ${sum(views, ({ counts }) => counts.total)} tasks completed before, resumed by planq retry`);
  verdict.fact('and by its job in BullMQ, 1 worker kill');
  verdict.conclude();
});

function sum(views: readonly RunView[], of: (run: RunView['run']) => number): number {
  return views.reduce((total, { run }) => total + of(run), 0);
}

function countStarts(entries: readonly Entry[], run: string, task: string): number {
  return entries.filter((entry) => entry.run === run && entry.task === task && entry.event === 'start').length;
}

function countSuccesses(entries: readonly Entry[], run: string, task: string): number {
  return entries.filter(
    (entry) => entry.run === run && entry.task === task && entry.event === 'end' && entry.code === 0,
  ).length;
}

async function planq(lab: Lab, ...argv: string[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...argv, '--json'], {
    cwd: lab.app.projectDir,
    env: { PATH: process.env.PATH, ...lab.app.env },
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
