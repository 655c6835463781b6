import type { Store } from './store.ts';

/** How long replicas are waited for. The run is stored and goes on whatever comes of it. */
const WAIT_MS = 1000;

/**
 * Waits until replicas have what this connection has written. Redis copies to them later than it answers, so what a master
 * alone has is gone when another server takes its place.
 * @returns a warning for the operator when too few have it in time
 */
export async function waitForReplicas(store: Store, wanted: number): Promise<string | null> {
  if (wanted === 0) return null;
  const count = await store.redis.wait(wanted, WAIT_MS);
  if (count >= wanted) return null;
  return `only ${count} of ${wanted} replicas have the run after ${WAIT_MS} ms; a failover now may lose it`;
}
