/** A worker that is killed: its agent is gone with all that it started, and the task goes on elsewhere soon. */

import { writeFile } from 'node:fs/promises';
import type { TaskRecord } from '../../flows/run-view.ts';
import { machineMs } from '../../runtime/clock.ts';
import { findOverlaps } from '../count.ts';
import type { Entry } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { startsOf, survivorsOf } from '../look.ts';
import { LOCK_MS } from '../site.ts';
import { type Count, count, type Findings } from '../verdict.ts';

/** The lock, a look for stalled jobs (half the lock), and two seconds. */
export const AGAIN_MS = LOCK_MS + LOCK_MS / 2 + 2000;
const CHILDREN = 2;

export async function checkKill(lab: Lab): Promise<Findings> {
  const gate = lab.path('open-kill');
  const { runId } = await lab.submit({ tasks: { long: lab.task({ gate, ticks: true, children: CHILDREN }) } });
  const first = await lab.until('the task is at work', async () => startsOf(await lab.journal(runId))[0]);
  const holder = await lab.holder(runId);
  const killedAt = machineMs();
  holder.signal('SIGKILL');
  await holder.exited;
  const again = await lab.until('the task is at work again', async () => startsOf(await lab.journal(runId))[1]);
  const survivors = survivorsOf(first);
  await writeFile(gate, '');
  await lab.rested(runId);
  const seen = {
    againMs: again.at - killedAt,
    survivors: survivors.length,
    left: survivorsOf(again).length,
    entries: await lab.journal(runId),
    record: await lab.record(runId),
  };
  return {
    counts: judgeKill(seen),
    facts: [`1 worker killed, an agent with ${CHILDREN} children, lock ${LOCK_MS} ms`],
  };
}

export interface Killed {
  /** From the kill to the next agent's first line. */
  againMs: number;
  /** Processes of the first agent, when the next one was at work. */
  survivors: number;
  /** Processes of the second, when its task had ended. */
  left: number;
  entries: readonly Entry[];
  record: TaskRecord;
}

export function judgeKill({ againMs, survivors, left, entries, record }: Killed): Count[] {
  return [
    count('again after', Math.round(againMs), AGAIN_MS, ' ms'),
    count('survivors', survivors + left),
    count('two agents at once', findOverlaps(entries).length),
    count('attempts used', attemptsUsed(record)),
    count('not completed', record.s === 'completed' ? 0 : 1),
  ];
}

/** Beyond the one that completed: one that only lost its worker counts for nothing. */
export function attemptsUsed({ a = 0, u = 0 }: TaskRecord): number {
  return Math.max(a, u) - 1;
}
