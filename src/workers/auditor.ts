/**
 * Compares the record with itself and with BullMQ, a page at a time. What must agree inside the record is looked at and
 * repaired in one script call. What must agree between the record and BullMQ may differ for a moment while somebody is at
 * work: it becomes a suspect, and is repaired when it is still wrong a pass later.
 */
import { bringBack, findLost } from './audit-jobs.ts';
import { findUnserved, tellUnserved } from './audit-masters.ts';
import { createKeyWalk, removeOrphan } from './audit-orphans.ts';
import { findBroken, judgeParent, release } from './audit-parents.ts';
import { auditLeases, auditLimits, auditRun } from './audit-record.ts';
import type { WorkerContext } from './context.ts';

/** Runs looked at in one pass. */
const RUNS_PER_PASS = 5;

/** A suspect is looked at again after a sweep, and never sooner than this. */
const SECOND_LOOK_MS = 1000;

/** Where there is nothing that could be wrong, all is looked at once in so many passes, in case that was wrong too. */
const PASSES_PER_IDLE_LOOK = 12;

/** Remembers how far it has gone through runs, parents and keys. */
export interface Auditor {
  /** One pass. @param isIdle the record has nothing that could be wrong @throws Redis errors */
  auditOnce(isIdle: boolean): Promise<void>;
}

type Suspect =
  | ['job', run: string, index: number]
  | ['parent', parent: string, key: string | null]
  | ['master', name: string]
  | ['orphan', queue: string, id: string, run: string];

export function createAuditor(worker: WorkerContext): Auditor {
  const { store, config } = worker;
  const pages = new Map<string, number>();
  const keys = createKeyWalk(worker);
  let parentsFrom = 0;
  let idlePasses = 0;

  const suspect = (suspects: readonly Suspect[]): Promise<void> =>
    store.audits.suspect(suspects.map((words) => JSON.stringify(words)));

  const auditOneRun = async (run: string): Promise<void> => {
    const page = await store.record.scanTasks(run, pages.get(run) ?? 0);
    if (page.next === 0) pages.delete(run);
    else pages.set(run, page.next);
    await auditLeases(worker, run, page.records);
    const lost = await findLost(worker, run, page.records);
    await suspect(lost.map(({ index }): Suspect => ['job', run, index]));
    await auditRun(worker, run);
  };

  const auditParents = async (): Promise<void> => {
    const { broken, next } = await findBroken(worker, parentsFrom);
    parentsFrom = next;
    await suspect(broken.map(({ parent, key }): Suspect => ['parent', parent, key]));
  };

  const auditKeys = async (): Promise<void> =>
    suspect((await keys.nextOrphans()).map(({ queue, id, run }): Suspect => ['orphan', queue, id, run]));

  const auditAll = async (): Promise<void> => {
    for (const words of await store.audits.takeSuspects(Math.max(config.times.sweepMs * 0.8, SECOND_LOOK_MS)))
      await lookAgain(worker, JSON.parse(words) as Suspect);
    for (const run of await store.record.someLiveRuns(RUNS_PER_PASS)) await auditOneRun(run);
    await auditLimits(worker);
    await auditParents();
    await suspect((await findUnserved(worker)).map((master): Suspect => ['master', master]));
  };

  return {
    auditOnce: async (isIdle) => {
      idlePasses = isIdle ? idlePasses + 1 : 0;
      if (idlePasses % PASSES_PER_IDLE_LOOK === 0) await auditAll();
      await auditKeys();
    },
  };
}

async function lookAgain(worker: WorkerContext, suspect: Suspect): Promise<void> {
  switch (suspect[0]) {
    case 'job':
      return bringBack(worker, suspect[1], [suspect[2]]);
    case 'parent': {
      const [, parent, key] = suspect;
      const findings = await judgeParent(worker, parent, key === null ? [] : [key]);
      for (const finding of findings) if (finding.key === key) await release(worker, finding);
      return;
    }
    case 'master':
      return tellUnserved(worker, suspect[1]);
    case 'orphan':
      return removeOrphan(worker, { queue: suspect[1], id: suspect[2], run: suspect[3] });
  }
}
