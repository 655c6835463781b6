/** The workers that are really there. An entry outlives its process; where that ran on this machine, one can look. */
import os from 'node:os';
import { listWorkers, type WorkerInfo } from '../producer/fleet.ts';
import type { Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';

/** Those that gave a sign lately, without those of this machine whose process is gone. @throws Redis errors */
export async function livingWorkers(store: Store, clock: Clock): Promise<WorkerInfo[]> {
  return (await listWorkers(store, clock)).filter((worker) => !isGone(worker));
}

function isGone(worker: WorkerInfo): boolean {
  if (worker.host !== os.hostname()) return false;
  try {
    process.kill(worker.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
