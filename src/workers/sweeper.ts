/**
 * Looks after what nobody looks after any more: leases of dead workers, ready tasks whose jobs were never added, granted
 * waiters that were never woken. One sweeper at a time over the whole fleet; harmless if two run.
 */

import { promoteGrants } from '../producer/grants.ts';
import { revive } from '../producer/revive.ts';
import type { WorkerContext } from './context.ts';
import { finaliseStuck, submitWantedUndo } from './finalise.ts';
import { releaseFailed } from './release-failed.ts';

/** An outbox entry this old has been forgotten by the worker that should have added it. */
const FORGOTTEN_AFTER_SWEEPS = 2;

/** A run job that has not been performed so long after its run ended waits for something that will not come. */
const STUCK_AFTER_SWEEPS = 10;

/** Undos that were asked for and nobody has submitted. Those whose run still goes on are asked again. */
const UNDOS_PER_PASS = 20;

/** One pass. @returns false when another worker is sweeping */
export async function sweepOnce(worker: WorkerContext): Promise<boolean> {
  const { store, config, clock, workerId } = worker;
  const { sweepMs } = config.times;
  const isMine = await store.redis.set(
    store.keys.sweeper,
    workerId,
    'PX',
    Math.max(1, Math.round(sweepMs * 0.9)),
    'NX',
  );
  if (isMine === null) return false;
  const found = await store.record.sweep(sweepMs * FORGOTTEN_AFTER_SWEEPS);
  for (const [run, entries] of found.outbox) await revive(store, clock, run, entries, 0);
  await promoteGrants(store, found.grants);
  for (const run of await store.record.findUnfinalised(clock.now(), sweepMs)) await releaseFailed(worker, run);
  const stuckAfterMs = sweepMs * STUCK_AFTER_SWEEPS;
  for (const run of await store.record.findUnfinalised(clock.now(), stuckAfterMs)) await finaliseStuck(worker, run);
  for (const run of await store.record.findUndoWanted(UNDOS_PER_PASS)) await submitWantedUndo(worker, run);
  return true;
}
