/**
 * Looks after what nobody looks after any more: leases of dead workers, ready tasks whose jobs were never added, granted
 * waiters that were never woken. One sweeper at a time over the whole fleet; harmless if two run.
 */

import { parseNode } from '../flows/node.ts';
import { promoteGrants } from '../producer/grants.ts';
import { revive } from '../producer/revive.ts';
import type { OutboxEntry } from '../redis/replies.ts';
import type { WorkerContext } from './context.ts';
import { finaliseStuck, submitWantedUndo } from './finalise.ts';
import { isNothingToSweep } from './nothing-to-sweep.ts';
import { releaseEnded } from './release-ended.ts';
import { tellRepair } from './repairs.ts';

/** An outbox entry this old has been forgotten by the worker that should have added it. */
const FORGOTTEN_AFTER_SWEEPS = 2;
const FORGOTTEN_AFTER_MS = 1000;

/** A run job that has not been performed so long after its run ended waits for something that will not come. */
const STUCK_AFTER_SWEEPS = 10;

/** And so long after, its tree is beyond repair. */
const HOPELESS_AFTER_SWEEPS = 60;

/** Undos that were asked for and nobody has submitted. Those whose run still goes on are asked again. */
const UNDOS_PER_PASS = 20;

/** Another worker sweeps; there was nothing that could be wrong; it was looked at. */
export type Swept = 'elsewhere' | 'nothing' | 'swept';

/** One pass. @throws Redis errors */
export async function sweepOnce(worker: WorkerContext): Promise<Swept> {
  const { store, config, clock, workerId } = worker;
  const { sweepMs } = config.times;
  const isMine = await store.redis.set(
    store.keys.sweeper,
    workerId,
    'PX',
    Math.max(1, Math.round(sweepMs * 0.9)),
    'NX',
  );
  if (isMine === null) return 'elsewhere';
  if (await isNothingToSweep(store)) return 'nothing';
  const found = await store.record.sweep(Math.max(sweepMs * FORGOTTEN_AFTER_SWEEPS, FORGOTTEN_AFTER_MS));
  for (const [run, entries] of found.outbox) await addForgotten(worker, run, entries);
  await promoteGrants(store, found.grants);
  for (const run of await store.record.findUnfinalised(clock.now(), sweepMs)) await releaseEnded(worker, run, false);
  const hopeless = new Set(await store.record.findUnfinalised(clock.now(), sweepMs * HOPELESS_AFTER_SWEEPS));
  for (const run of await store.record.findUnfinalised(clock.now(), sweepMs * STUCK_AFTER_SWEEPS))
    await finaliseStuck(worker, run, hopeless.has(run));
  for (const run of await store.record.findUndoWanted(UNDOS_PER_PASS)) await submitWantedUndo(worker, run);
  return 'swept';
}

/**
 * Ready tasks that nobody added, or of dead workers. The job of a dead worker's task is there, and BullMQ brings it back; one
 * that is not there was never added, or is lost.
 */
async function addForgotten(worker: WorkerContext, run: string, entries: readonly OutboxEntry[]): Promise<void> {
  const { store, clock } = worker;
  const missing = await store.audits.findMissingJobs(run, entries);
  await revive(store, clock, run, entries, 0);
  for (const { index, node } of missing)
    await tellRepair(worker, { what: 'job', run, task: { index, id: parseNode(node).id } });
}
