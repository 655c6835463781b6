/**
 * R16: a parent's job that BullMQ lets go too early ends nothing: what was taken away is added again, or the run waits.
 */
import { test } from 'vitest';
import { testPlan } from '../support/app.ts';
import { createChance } from './chance.ts';
import { createLab, type Lab, superviseWorkers } from './lab.ts';
import { createStages } from './load.ts';
import { findEarly, findLost, findStuck, findTwice } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const DAMAGES: Record<string, (lab: Lab, run: string) => Promise<unknown>> = {
  'queue drained': (lab) => lab.app.store.queues.queue('master-development').drain(true),
  'child removed': (lab, run) => lab.app.store.queues.queue('master-development').remove(`${run}.stage1-1`),
  'tree removed': async (lab, run) =>
    (await lab.app.store.queues.queue('runs').getJob(run))?.remove({ removeChildren: true }),
  'scripts flushed': (lab) => lab.app.store.redis.script('FLUSH'),
  'foreign job': (lab, run) =>
    lab.app.store.queues
      .queue('master-development')
      .add('x', { command: 'touch canary' }, { jobId: `${run}.stage2-1` }),
  'foreign child': (lab, run) =>
    lab.app.store.queues
      .queue('master-development')
      .add('x', { v: 1 }, { jobId: 'foreign', parent: { id: run, queue: lab.app.store.queues.qualifiedName('runs') } }),
};

test('R16', async (context) => {
  const verdict = openVerdict('R16', context);
  const chance = createChance('R16');
  const lab = await createLab({ lockMs: 1500, config: { concurrency: 4 } });
  const runs: string[] = [];
  // Each damage once before any worker is there, and once while the run is under way.
  for (const isRunning of [false, true]) {
    if (isRunning) superviseWorkers(lab, 2);
    for (const [name, damage] of Object.entries(DAMAGES)) {
      const plan = createStages(lab, chance, { stages: 3, width: 4, work: [50, 200] });
      // Its scripts may be gone from the server: the flush before belongs to this insert.
      const { runId } = await lab.app.submit(testPlan(plan));
      runs.push(runId);
      await damage(lab, runId);
      verdict.log(`${name}: run ${runId}${isRunning ? ' with workers' : ''}`);
    }
  }
  const views = await lab.settled(runs, 120_000);
  const [entries, events] = [await lab.journal(), await lab.events()];
  const wrongly = views.filter(({ run }) => run.state === 'completed' && run.counts.completed !== run.counts.total);
  for (const text of [...findLost(views, entries), ...findStuck(views)]) verdict.log(`lost or stuck: ${text}`);
  verdict.count('wrongly completed', wrongly.length, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('twice', findTwice(views, entries, events).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('order', findEarly(views, entries).length, 0);
  verdict.count('not completed', views.filter(({ run }) => run.state !== 'completed').length, 0);
  verdict.fact(`${runs.length} runs: ${Object.keys(DAMAGES).join(', ')}`);
  verdict.conclude();
});
