/**
 * What must agree inside the record: leases with what runs, limits with leases, counts with tasks, gates with what is before
 * them. Each is one script call that looks and repairs.
 */
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import { promoteGrants } from '../producer/grants.ts';
import { revive } from '../producer/revive.ts';
import type { WorkerContext } from './context.ts';
import { warnOf } from './repairs.ts';

/** No lease is made for longer than this many lock times, and never for longer than some minutes. */
const LONGEST_IN_LOCKS = 10;
const LONGEST_MS = 600_000;

/** Gives every running task of these a lease. */
export async function auditLeases(
  worker: WorkerContext,
  run: string,
  records: Readonly<Record<string, string>>,
): Promise<void> {
  const { store, config } = worker;
  const running = Object.keys(records).filter((index) => parseTaskRecord(records[index]).s === 'running');
  const { lockMs } = config.times;
  const most = Math.max(lockMs * LONGEST_IN_LOCKS, LONGEST_MS);
  for (const repair of await store.audits.mendLeases(lockMs, most, run, running.map(Number))) {
    const id = repair.node === '' ? String(repair.index) : parseNode(repair.node).id;
    warnOf(worker, { what: 'lease', run: repair.run, task: { index: repair.index, id } });
  }
}

/** What is in use of each limit is the sum of its leases. */
export async function auditLimits(worker: WorkerContext): Promise<void> {
  const found = await worker.store.audits.mendLimits();
  if (found === null) {
    worker.tell('too many tasks run at once to add up their leases; limits are not audited');
    return;
  }
  await promoteGrants(worker.store, found.grants);
  for (const { name, is } of found.repairs) warnOf(worker, { what: 'limit', run: '', name, count: is });
}

/** The counts, the own limits and the gates of one run. */
export async function auditRun(worker: WorkerContext, run: string): Promise<void> {
  const { store, clock } = worker;
  for (const { what, name, is } of await store.audits.mendCounts(run)) warnOf(worker, { what, run, name, count: is });
  const { gates, outbox } = await store.audits.mendGates(run);
  for (const { index, isClosed } of gates) {
    if (isClosed) warnOf(worker, { what: 'gate', run, task: { index, id: `gate ${index}` } });
    else worker.tell('a gate has opened before all was settled, and what is behind it has begun', { run, gate: index });
  }
  await revive(store, clock, run, outbox, 0);
}
