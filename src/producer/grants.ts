/**
 * Wakes the jobs of waiters that were granted their leases. Done by whoever freed the capacity; if it dies before, the
 * grant's lease runs out and the sweeper grants anew.
 */
import { taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { masterQueue } from '../redis/keys.ts';
import type { Grant } from '../redis/replies.ts';
import type { Store } from './store.ts';

/** Promotes the delayed jobs of granted waiters, side by side. A job that is not delayed is left alone. @throws Redis errors */
export async function promoteGrants(store: Store, grants: readonly Grant[]): Promise<void> {
  await Promise.all(
    grants.map(async (grant) => {
      const node = parseNode(grant.node);
      const job = await store.queues.queue(masterQueue(node.m)).getJob(taskJobId(grant.run, node.id));
      // Not delayed yet: the worker that parks it looks once more after it has.
      await job?.promote().catch(() => undefined);
    }),
  );
}
