/**
 * Whether a sweep and its audits could find anything: most of a worker's life nothing runs, and that is asked in one
 * command. What is not in one of these keys the sweep does not look at.
 */

import type { Store } from '../producer/store.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';

/** @throws Redis errors */
export async function isNothingToSweep({ redis, keys }: Store): Promise<boolean> {
  const { base, live, ended, undo, leases, used, unserved } = keys;
  const others = ['lines', 'wake', 'suspects', `${RUNS_QUEUE}:waiting-children`].map((name) => `${base}:${name}`);
  return (await redis.exists(live, ended, undo, leases, used, unserved, ...others)) === 0;
}
