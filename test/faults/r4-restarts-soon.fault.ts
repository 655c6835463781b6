/**
 * R4: a dead worker's task starts again within the lock, one look for stalled jobs, and two seconds.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { parseTaskRecord } from '../../src/flows/run-view.ts';
import { testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { createChance } from './chance.ts';
import { type Entry, monotonicMs } from './journal.ts';
import { createLab, superviseWorkers } from './lab.ts';
import { openVerdict } from './verdict.ts';

const REPEATS = 20;
const LOCK_MS = 2000;
/** Half the lock, unless configured. */
const CHECK_MS = LOCK_MS / 2;

test('R4', async (context) => {
  const verdict = openVerdict('R4', context);
  const chance = createChance('R4');
  const lab = await createLab({ lockMs: LOCK_MS });
  const fleet = superviseWorkers(lab, 3);
  const times: number[] = [];
  for (let count = 0; count < REPEATS; count++) {
    const gate = lab.path(`open-${count}`);
    await waitUntil('all workers are up', () => fleet.up().length === 3, 20_000);
    const { runId } = await lab.app.submit(testPlan({ tasks: { long: lab.task({ gate }) } }));
    const starts = async (): Promise<Entry[]> =>
      (await lab.journal()).filter(({ run, event }) => run === runId && event === 'start');
    await waitUntil('it runs', async () => (await starts()).length === 1, 20_000);
    await sleep(chance.between(0, LOCK_MS));
    const holder = parseTaskRecord(await lab.app.store.record.readTask(runId, 0)).w;
    const killedAt = monotonicMs();
    await fleet.kill(fleet.up().find(({ id }) => id === holder));
    const again = await waitUntil('it runs again', async () => (await starts())[1], 30_000);
    times.push(again.at - killedAt);
    await writeFile(gate, '');
    await lab.app.atRest(runId);
  }
  times.sort((a, b) => a - b);
  verdict.count('longest', Math.round(times.at(-1)!), LOCK_MS + CHECK_MS + 2000, ' ms');
  verdict.fact(`half within ${Math.round(times[REPEATS / 2]!)} ms`);
  verdict.fact(`${REPEATS} worker kills, lock ${LOCK_MS} ms, look every ${CHECK_MS} ms`);
  verdict.log(times.map((ms) => Math.round(ms)).join(', '));
  verdict.conclude();
});
