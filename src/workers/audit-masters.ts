/** Looks whether somebody serves the masters for which jobs wait. */
import { listWorkers, unservedMasters } from '../producer/fleet.ts';
import { masterQueue } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';

const MASTERS_PER_PASS = 100;

/** @returns masters with waiting jobs and no worker, a hundred at most; of the others it is noted that all is well */
export async function findUnserved({ store, clock }: WorkerContext): Promise<string[]> {
  const masters = await store.redis.smembers(store.keys.masters);
  const unserved = unservedMasters(await listWorkers(store, clock), masters).slice(0, MASTERS_PER_PASS);
  const waiting = await Promise.all(unserved.map((master) => countWaiting(store, master)));
  const lonely = unserved.filter((_, at) => waiting[at]! > 0);
  for (const master of await store.redis.smembers(store.keys.unserved))
    if (!lonely.includes(master)) await store.audits.noteMaster(master, 0);
  return lonely;
}

/** Looks again, and tells once. */
export async function tellUnserved(worker: WorkerContext, master: string): Promise<void> {
  const { store, clock } = worker;
  if (unservedMasters(await listWorkers(store, clock), [master]).length === 0) return;
  const count = await countWaiting(store, master);
  if (count === 0 || !(await store.audits.noteMaster(master, count))) return;
  worker.warn('jobs wait for a master that no worker serves; start one with "planq worker"', { master, count });
}

async function countWaiting(store: WorkerContext['store'], master: string): Promise<number> {
  const key = `${store.keys.base}:${masterQueue(master)}`;
  const [prioritized, waiting] = await Promise.all([
    store.redis.zcard(`${key}:prioritized`),
    store.redis.llen(`${key}:wait`),
  ]);
  return prioritized + waiting;
}
