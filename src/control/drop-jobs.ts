/** Takes tasks' jobs out of BullMQ. */
import { taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import type { Store } from '../producer/store.ts';
import { masterQueue } from '../redis/keys.ts';
import type { Clock } from '../runtime/clock.ts';

const POLL_MS = 20;

/**
 * Of tasks that will not run: what waits is removed. A failed job stays to be seen, but no longer holds its parent; one that a
 * worker has just taken is declined there.
 */
export async function dropJobs(store: Store, run: string, indexes: readonly number[]): Promise<void> {
  for (const job of await findJobs(store, run, indexes)) {
    const found = await job.queue.getJob(job.id);
    if (found === undefined) continue;
    if ((await found.getState()) !== 'failed') await found.remove().catch(() => undefined);
    // Whoever was let go of before has none: to ask again would ask for a key without a name, which not everybody may.
    else if (found.parentKey !== undefined) await found.removeChildDependency().catch(() => undefined);
  }
}

/**
 * Of tasks that will run again later: whatever their jobs have come to is removed, so that they can be added anew. A worker
 * that is just ending one is waited for.
 */
export async function forgetJobs(
  store: Store,
  clock: Clock,
  run: string,
  indexes: readonly number[],
  waitMs: number,
): Promise<void> {
  const deadline = clock.monotonic() + waitMs;
  for (const { queue, id } of await findJobs(store, run, indexes)) {
    // A job that stays is found by the audit, when its task is ready.
    while ((await queue.remove(id)) === 0 && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
  }
}

type Queue = ReturnType<Store['queues']['queue']>;

async function findJobs(
  store: Store,
  run: string,
  indexes: readonly number[],
): Promise<{ queue: Queue; id: string }[]> {
  if (indexes.length === 0) return [];
  const nodes = await store.record.readFields(run, 'nodes', indexes);
  return nodes.flatMap((text) => {
    if (text === null) return [];
    const node = parseNode(text);
    return [{ queue: store.queues.queue(masterQueue(node.m)), id: taskJobId(run, node.id) }];
  });
}
