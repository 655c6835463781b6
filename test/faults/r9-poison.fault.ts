/**
 * R9: a task that stops three workers fails; its neighbours complete. No agent can reach its worker where agents live in
 * namespaces, so the test does for the poison what the kernel does when memory is short: it kills the worker.
 */
import { test } from 'vitest';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { testPlan } from '../support/app.ts';
import { createLab, superviseWorkers } from './lab.ts';
import { findLost, findStuck } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const HEALTHY = 8;

test('R9', async (context) => {
  const verdict = openVerdict('R9', context);
  const lab = await createLab({ lockMs: 2000, config: { concurrency: 4 } });
  const poison = lab.task({ work: 60_000 }, { priority: 'critical' });
  const healthy = Array.from({ length: HEALTHY }, (_, at) => [
    `healthy${at}`,
    lab.task({ work: 400 }, { priority: 'low' }),
  ]);
  const { runId } = await lab.app.submit(testPlan({ tasks: { poison, ...Object.fromEntries(healthy) } }));
  const fleet = superviseWorkers(lab, 1);
  const seen = new Set<string>();
  let isOver = false;
  const strike = async (): Promise<void> => {
    while (!isOver) {
      const { k: token, w: worker } = parseTaskRecord(await lab.app.store.record.readTask(runId, 0));
      const isAtWork = token !== undefined && (await lab.journal()).some((entry) => entry.token === token);
      if (isAtWork && !seen.has(token)) {
        seen.add(token);
        await fleet.kill(fleet.up().find(({ id }) => id === worker));
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const striking = strike();
  const views = await lab.settled([runId], 90_000);
  isOver = true;
  await striking;
  const entries = await lab.journal();
  const { tasks, run } = views[0]!;
  verdict.count('workers stopped', seen.size, 3);
  verdict.count(
    'poison not failed',
    tasks[0]?.state === 'failed' && tasks[0].reason === 'stopped 3 workers' ? 0 : 1,
    0,
  );
  verdict.count('healthy not completed', HEALTHY - run.counts.completed, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.fact(`1 poison, ${HEALTHY} healthy tasks, ${fleet.started} workers started`);
  verdict.log(JSON.stringify(tasks));
  verdict.conclude();
});
