/**
 * Which workers are there: each tells of itself every few seconds; one that has been silent for long is gone.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Store } from './store.ts';

export interface WorkerInfo {
  id: string;
  host: string;
  pid: number;
  /** Masters it serves with its cap for each; null = all. */
  masters: Record<string, number> | null;
  concurrency: number;
  startedAt: number;
  /** Epoch ms of its last sign. */
  seenAt: number;
  running: number;
}

const SILENT_MS = 30_000;

/** Tells that a worker is there; to be repeated well within 30 s. @throws Redis errors */
export async function announceWorker(store: Store, info: WorkerInfo): Promise<void> {
  await store.redis.hset(store.keys.workers, info.id, JSON.stringify(info));
}

/** Tells that a worker has ended. @throws Redis errors */
export async function forgetWorker(store: Store, id: string): Promise<void> {
  await store.redis.hdel(store.keys.workers, id);
}

/** Those that gave a sign in the last 30 s; entries of the others are removed. */
export async function listWorkers(store: Store, clock: Clock): Promise<WorkerInfo[]> {
  const all = Object.values<string>(await store.redis.hgetall(store.keys.workers)).map(
    (text) => JSON.parse(text) as WorkerInfo,
  );
  const gone = all.filter((worker) => clock.now() - worker.seenAt > SILENT_MS);
  if (gone.length > 0) await store.redis.hdel(store.keys.workers, ...gone.map((worker) => worker.id));
  return all.filter((worker) => !gone.includes(worker));
}

/** The masters among `masters` that no worker serves. */
export function unservedMasters(workers: readonly WorkerInfo[], masters: readonly string[]): string[] {
  return masters.filter(
    (master) => !workers.some((worker) => worker.masters === null || worker.masters[master] !== undefined),
  );
}
