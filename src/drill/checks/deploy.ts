/** A worker that is told to end hands its tasks back; they go on elsewhere and have used no attempt. */
import { writeFile } from 'node:fs/promises';
import type { TaskRecord } from '../../flows/run-view.ts';
import { machineMs } from '../../runtime/clock.ts';
import { findOverlaps } from '../count.ts';
import { type Entry, toLives } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { DRAIN_MS, GRACE_MS } from '../site.ts';
import { type Count, count, type Findings } from '../verdict.ts';
import { attemptsUsed } from './kill.ts';

const TASKS = 4;
/** For what a worker does besides waiting for its agents. */
const EXIT_MS = DRAIN_MS + GRACE_MS + 5000;
/** Whatever is handed back starts again at once; a second is left for a loaded machine. */
const AGAIN_MS = EXIT_MS + 1000;

export async function checkDeploy(lab: Lab): Promise<Findings> {
  const gate = lab.path('open-deploy');
  const task = lab.task({ gate, ticks: true });
  const tasks = Object.fromEntries(Array.from({ length: TASKS }, (_, at) => [`t${at}`, task]));
  const { runId } = await lab.submit({ tasks });
  const lives = async (): Promise<number> => toLives(await lab.journal(runId)).length;
  const records = (): Promise<TaskRecord[]> =>
    Promise.all(Array.from({ length: TASKS }, (_, index) => lab.record(runId, index)));
  await lab.until('all tasks are at work', async () => (await lives()) === TASKS);
  const holder = await lab.holder(runId);
  const handedBack = (await records()).filter(({ w }) => w === holder.id).length;
  const toldAt = machineMs();
  holder.signal('SIGTERM');
  const [exit] = await Promise.all([holder.exited, lab.fleet.fill()]);
  const exitMs = machineMs() - toldAt;
  await lab.until('its tasks are at work again', async () => (await lives()) >= TASKS + handedBack);
  const againMs = machineMs() - toldAt;
  await writeFile(gate, '');
  await lab.rested(runId);
  const seen = { exit, exitMs, againMs, handedBack, records: await records(), entries: await lab.journal(runId) };
  return { counts: judgeDeploy(seen), facts: [`1 worker of 2 told to end, ${handedBack} tasks handed back`] };
}

export interface Deployed {
  /** The worker's exit code, or the signal that ended it. */
  exit: number | string;
  exitMs: number;
  /** From the signal until all of its tasks were at work again. */
  againMs: number;
  handedBack: number;
  records: readonly TaskRecord[];
  entries: readonly Entry[];
}

export function judgeDeploy({ exit, exitMs, againMs, handedBack, records, entries }: Deployed): Count[] {
  const sum = (of: (record: TaskRecord) => number): number => records.reduce((total, record) => total + of(record), 0);
  return [
    count('attempts used', sum(attemptsUsed)),
    count(
      'counted as crashes',
      sum(({ c = 0 }) => c),
    ),
    count('exit code', exit === 0 ? 0 : 1),
    count('exit after', Math.round(exitMs), EXIT_MS, ' ms'),
    count('again after', Math.round(againMs), AGAIN_MS, ' ms'),
    count('two agents at once', findOverlaps(entries).length),
    count('agents otherwise', Math.abs(toLives(entries).length - records.length - handedBack)),
    count('not completed', records.filter(({ s }) => s !== 'completed').length),
  ];
}
