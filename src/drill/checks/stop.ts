/** A worker that stands still for longer than its lease, and then comes back with an outcome that is too late. */
import { writeFile } from 'node:fs/promises';
import type { Event } from '../../events/event.ts';
import type { TaskRecord } from '../../flows/run-view.ts';
import { machineMs } from '../../runtime/clock.ts';
import { findOverlaps } from '../count.ts';
import type { Entry } from '../journal.ts';
import type { Lab } from '../lab.ts';
import { startsOf, successesOf } from '../look.ts';
import { LOCK_MS } from '../site.ts';
import { type Count, count, type Findings } from '../verdict.ts';
import { attemptsUsed } from './kill.ts';

const TELL_MS = 10_000;

export async function checkStop(lab: Lab): Promise<Findings> {
  const gate = lab.path('open-stop');
  const { runId } = await lab.submit({ tasks: { long: lab.task({ gate, ticks: true }) } });
  const first = await lab.until('the task is at work', async () => startsOf(await lab.journal(runId))[0]);
  const holder = await lab.holder(runId);
  const stoppedAt = machineMs();
  holder.signal('SIGSTOP');
  await lab.until('the task is at work elsewhere', async () => startsOf(await lab.journal(runId)).length === 2);
  await lab.until('the lease is over', () => machineMs() - stoppedAt > LOCK_MS * 1.2);
  const before = await lab.record(runId);
  holder.signal('SIGCONT');
  const isTold = async (): Promise<boolean> => countSuperseded(await lab.events(runId)) > 0;
  // Whoever counts sees that it was not told.
  await lab.until('the late outcome is told', isTold, TELL_MS).catch(() => undefined);
  const after = await lab.record(runId);
  await writeFile(gate, '');
  await lab.rested(runId);
  const [done, token] = [await lab.record(runId), first.token];
  // As late as can be: the task has long completed.
  const reply = await lab.site.store.record.settle({ run: runId, index: 0, token, kind: 'failed', reason: 'late' });
  const seen = {
    records: [before, after, done, await lab.record(runId)] as const,
    wasRefused: reply.status === 'superseded',
    entries: await lab.journal(runId),
    events: await lab.events(runId),
  };
  return {
    counts: judgeStop(seen),
    facts: [`1 worker stopped for longer than its lease of ${LOCK_MS} ms, 2 late outcomes`],
  };
}

export interface Stopped {
  /** The task's record before and after the first late outcome, and before and after the second. */
  records: readonly [TaskRecord, TaskRecord, TaskRecord, TaskRecord];
  /** Whether the second was refused. */
  wasRefused: boolean;
  entries: readonly Entry[];
  events: readonly Event[];
}

export function judgeStop({ records, wasRefused, entries, events }: Stopped): Count[] {
  const [before, after, done, end] = records;
  const outcomes = events.filter(({ type }) => type === 'task-completed' || type === 'task-failed').length;
  return [
    count('two agents at once', findOverlaps(entries).length),
    count('changed by a late outcome', Number(!isSame(before, after)) + Number(!isSame(done, end))),
    count('late outcomes not told', (countSuperseded(events) > 0 ? 0 : 1) + (wasRefused ? 0 : 1)),
    count('recorded twice', outcomes + successesOf(entries, 'long').length - 2),
    count('attempts used', attemptsUsed(end)),
    count('not completed', end.s === 'completed' ? 0 : 1),
  ];
}

function countSuperseded(events: readonly Event[]): number {
  return events.filter(({ type }) => type === 'task-superseded').length;
}

/** Progress and heartbeats go on; what a task is, whose it is and what came of it may not have changed. */
function isSame(a: TaskRecord, b: TaskRecord): boolean {
  return a.s === b.s && a.k === b.k && a.w === b.w && a.a === b.a && a.r === b.r && a.x === b.x;
}
