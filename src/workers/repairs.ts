/**
 * Nothing is repaired in silence: each repair is an event, told by whoever makes it, and a warning in the log of the worker
 * that made it.
 */
import type { RepairKind } from '../events/event.ts';
import type { WorkerContext } from './context.ts';

export interface Repair {
  what: RepairKind;
  /** Empty where it is of no run. */
  run: string;
  task?: { index: number; id: string };
  count?: number;
  /** What it was about, where that is no task: a limit, a state, a job. */
  name?: string;
}

const SENTENCES: Readonly<Record<RepairKind, string>> = {
  job: 'a job was lost and is added again',
  lease: 'a running task had no proper lease and gets one',
  parent: 'a job waited for a job that will not come, and is let go',
  tree: 'the job tree of an ended run was damaged and is removed',
  report: 'an ended run had no job that would write its report; it is written now',
  gate: 'a gate had opened too early and is closed again',
  limit: 'what is in use of a limit was counted wrongly',
  count: "a run's tasks were counted wrongly",
  orphan: 'a job that belongs to no run and no queue is removed',
};

/** The warning alone, of a repair that a script made and told. */
export function warnOf(worker: Pick<WorkerContext, 'warn'>, { what, run, task, count, name }: Repair): void {
  worker.warn(SENTENCES[what], {
    ...(run === '' ? {} : { run }),
    ...(task === undefined ? {} : { task: task.id }),
    ...(name === undefined ? {} : { name }),
    ...(count === undefined ? {} : { count }),
  });
}

/** Event and warning. @throws Redis errors */
export async function tellRepair(worker: Pick<WorkerContext, 'warn' | 'store'>, repair: Repair): Promise<void> {
  const { what, run, task, count, name } = repair;
  await worker.store.audits.tell({
    run,
    what,
    ...(task === undefined ? {} : { task: task.index }),
    ...(count === undefined ? {} : { count }),
    ...(name === undefined ? {} : { name }),
  });
  warnOf(worker, repair);
}
