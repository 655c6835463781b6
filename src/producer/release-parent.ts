/**
 * Lets a run or stage job go on without one of those that it waits for. Where there is no job to let go of, a husk is put
 * in its place and taken away again: BullMQ releases a parent for a job only, a bare key that is deleted releases nobody.
 */
import { RUNS_QUEUE } from '../redis/keys.ts';
import type { Job } from '../redis/queues.ts';
import type { Store } from './store.ts';

const HUSK = { husk: true };
/** Nobody performs it meanwhile. */
const HUSK_DELAY_MS = 3_600_000;

/**
 * @param parent id of a job of the runs queue
 * @param key BullMQ's key of the dependency; null for a parent that waits for nothing
 * @returns false when it cannot be done: the key is under a foreign prefix
 * @throws Redis errors
 */
export async function releaseParent(store: Store, parent: string, key: string | null): Promise<boolean> {
  const child = key === null ? { queue: RUNS_QUEUE, id: `${parent}.husk` } : parseKey(store, key);
  if (child === null) return false;
  const queue = store.queues.queue(child.queue);
  const parentRef = { id: parent, queue: store.queues.qualifiedName(RUNS_QUEUE) };
  const found = await queue.getJob(child.id);
  if (found !== undefined && !isHusk(found)) {
    // The one it names may be another parent, from which it was taken over.
    found.parentKey = `${parentRef.queue}:${parent}`;
    await found.removeChildDependency().catch(() => undefined);
    return true;
  }
  await queue.add('husk', HUSK, { jobId: child.id, parent: parentRef, delay: HUSK_DELAY_MS }).catch(() => undefined);
  const husk = await queue.getJob(child.id);
  if (husk !== undefined && isHusk(husk)) await husk.remove().catch(() => undefined);
  return true;
}

/** Queue and id of a job of ours by its key; null for one under another prefix. */
export function parseKey(store: Store, key: string): { queue: string; id: string } | null {
  const prefix = `${store.keys.base}:`;
  const at = key.lastIndexOf(':');
  if (!key.startsWith(prefix) || at < prefix.length) return null;
  return { queue: key.slice(prefix.length, at), id: key.slice(at + 1) };
}

function isHusk(job: Job): boolean {
  return (job.data as { husk?: unknown } | null)?.husk === true;
}
