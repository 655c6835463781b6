/**
 * Compares the record with itself and with BullMQ, a page at a time. What must agree inside the record is looked at and
 * repaired in one script call. What must agree between the record and BullMQ may differ for a moment while somebody is at
 * work: it becomes a suspect, and is repaired when it is still wrong a pass later.
 */
import { bringBack, findLost } from './audit-jobs.ts';
import { findUnserved, tellUnserved } from './audit-masters.ts';
import { findOrphans, removeOrphan } from './audit-orphans.ts';
import { findBroken, judgeParent, release } from './audit-parents.ts';
import { auditLeases, auditLimits, auditRun } from './audit-record.ts';
import type { WorkerContext } from './context.ts';

/** Runs looked at in one pass. */
const RUNS_PER_PASS = 5;

/** A suspect is looked at again after a sweep, and never sooner than this. */
const SECOND_LOOK_MS = 1000;

/** Remembers how far it has gone through runs, parents and keys. */
export interface Auditor {
  /** One pass. @throws Redis errors */
  auditOnce(): Promise<void>;
}

type Suspect =
  | ['job', run: string, index: number]
  | ['parent', parent: string, key: string | null]
  | ['master', name: string]
  | ['orphan', queue: string, id: string, run: string];

export function createAuditor(worker: WorkerContext): Auditor {
  const { store, config } = worker;
  const pages = new Map<string, string>();
  let parentsFrom = 0;
  let keysFrom: string | null = '0';

  const suspect = (suspects: readonly Suspect[]): Promise<void> =>
    store.audits.suspect(suspects.map((words) => JSON.stringify(words)));

  const auditOneRun = async (run: string): Promise<void> => {
    const page = await store.record.scanTasks(run, pages.get(run) ?? '0');
    if (page.cursor === '0') pages.delete(run);
    else pages.set(run, page.cursor);
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

  const auditKeys = async (): Promise<void> => {
    const found = keysFrom === null ? null : await findOrphans(worker, keysFrom);
    keysFrom = found?.cursor ?? null;
    await suspect((found?.orphans ?? []).map(({ queue, id, run }): Suspect => ['orphan', queue, id, run]));
  };

  return {
    auditOnce: async () => {
      for (const words of await store.audits.takeSuspects(Math.max(config.times.sweepMs * 0.8, SECOND_LOOK_MS)))
        await lookAgain(worker, JSON.parse(words) as Suspect);
      for (const run of await store.record.someLiveRuns(RUNS_PER_PASS)) await auditOneRun(run);
      await auditLimits(worker);
      await auditParents();
      await suspect((await findUnserved(worker)).map((master): Suspect => ['master', master]));
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
