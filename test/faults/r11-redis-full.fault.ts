/**
 * R11: a Redis that is getting full refuses new work clearly and loses none of the old.
 */
import { writeFile } from 'node:fs/promises';
import { test } from 'vitest';
import { PlanqError } from '../../src/runtime/errors.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createLab, type Lab } from './lab.ts';
import { findLost, findStuck, findTwice } from './oracle.ts';
import { openVerdict } from './verdict.ts';

const RUNNING = 10;

test('R11', async (context) => {
  const verdict = openVerdict('R11', context);
  const lab = await createLab({ lockMs: 4000, redis: { maxmemory: '40mb' }, config: { concurrency: RUNNING } });
  const gate = lab.path('open');
  const held = Object.fromEntries(Array.from({ length: RUNNING }, (_, at) => [`t${at}`, lab.task({ gate })]));
  const { runId } = await lab.app.submit(testPlan({ tasks: held }));
  const worker = await lab.startWorker();
  const started = async (): Promise<number> => (await lab.journal()).length;
  await waitUntil('they run', async () => (await started()) === RUNNING, 20_000);
  const prompt = 'x'.repeat(100_000);
  const filler = testPlan({
    tasks: Object.fromEntries(['a', 'b', 'c'].map((id) => [id, lab.task({ work: 20 }, { prompt })])),
  });
  const accepted: string[] = [];
  let code = '';
  while (code === '' && accepted.length < 500) {
    try {
      accepted.push((await lab.app.submit(filler)).runId);
    } catch (error) {
      code = error instanceof PlanqError ? error.code : String(error);
    }
  }
  verdict.log(await describeMemory(lab));
  await writeFile(gate, '');
  const views = await lab.settled([runId, ...accepted], 120_000);
  const [entries, events] = [await lab.journal(), await lab.events()];
  verdict.count('refused otherwise', code === 'redis_full' ? 0 : 1, 0);
  verdict.count('lost', findLost(views, entries).length, 0);
  verdict.count('twice', findTwice(views, entries, events).length, 0);
  verdict.count('stuck', findStuck(views).length, 0);
  verdict.count('not completed', views.filter(({ run }) => run.state !== 'completed').length, 0);
  verdict.fact(`${RUNNING} running tasks and ${accepted.length} more runs in 40 MB, refused with "${code}"`);
  verdict.log(await describeMemory(lab));
  verdict.log(worker.stderr());
  verdict.conclude();
});

async function describeMemory(lab: Lab): Promise<string> {
  const info = await lab.app.store.redis.info('memory');
  return info
    .split('\r\n')
    .filter((line) =>
      /^(used_memory|used_memory_dataset|used_memory_scripts|mem_clients_normal|mem_aof_buffer|mem_not_counted_for_evict|used_memory_vm_total|number_of_cached_scripts):/.test(
        line,
      ),
    )
    .join(' ');
}
