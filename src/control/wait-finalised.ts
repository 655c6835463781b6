/** Waits for the run job, which writes the report after the run has ended. */
import type { Store } from '../producer/store.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import type { Clock } from '../runtime/clock.ts';

const POLL_MS = 20;

/** @returns whether the run job has ended within `waitMs` */
export async function waitFinalised(store: Store, clock: Clock, run: string, waitMs: number): Promise<boolean> {
  const deadline = clock.monotonic() + waitMs;
  for (;;) {
    const state = await store.queues.queue(RUNS_QUEUE).getJobState(run);
    if (state === 'completed' || state === 'failed' || state === 'unknown') return true;
    if (clock.monotonic() > deadline) return false;
    await clock.sleep(POLL_MS);
  }
}
