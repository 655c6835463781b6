/**
 * Looks for hashes of jobs of runs that no record knows and that no set of their queue names: nothing leads to them any
 * more. Walks through the server's keys, some hundred in a pass, where it may; the user of docs/redis.md may not.
 *
 * BullMQ's own `removeOrphanedJobs` is not used: it walks through all keys in one call, tells neither which jobs it removes
 * nor whether their run lives, and leaves the parents of what it removes waiting for ever.
 */
import { parseKey } from '../producer/release-parent.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';
import { warnOf } from './repairs.ts';

const KEYS_PER_PASS = 500;

const TASK_ID = /^([a-z0-9]+)\..+$/;
const PARENT_ID = /^([a-z0-9]+)(?:\.stage-\d+)?$/;
const OWN_KEYS: ReadonlySet<string> = new Set(['meta', 'pc', 'de', 'repeat', 'metrics']);

export interface OrphanJob {
  queue: string;
  id: string;
  run: string;
}

/** One page of the keys. @returns null when this user may not list keys */
export async function findOrphans(
  worker: WorkerContext,
  cursor: string,
): Promise<{ cursor: string; orphans: OrphanJob[] } | null> {
  const { store } = worker;
  if (!mayScan(store)) return null;
  const page = await store.redis
    .scan(cursor, 'MATCH', `${store.keys.base}:*`, 'COUNT', KEYS_PER_PASS, 'TYPE', 'hash')
    .catch((error: unknown) => {
      if (/NOPERM|no permissions/i.test(String(error))) return null;
      throw error;
    });
  if (page === null) return null;
  const orphans: OrphanJob[] = [];
  for (const key of page[1]) {
    const job = toJob(worker, key);
    if (job !== null && orphans.length < 100 && (await store.audits.lookAtOrphan(job, false))) orphans.push(job);
  }
  return { cursor: page[0], orphans };
}

/** Looks again, and removes it. */
export async function removeOrphan(worker: WorkerContext, job: OrphanJob): Promise<void> {
  if (await worker.store.audits.lookAtOrphan(job, true)) warnOf(worker, { what: 'orphan', run: '', name: job.id });
}

/** A user with a name was made for planq, and planq asks it for no right that docs/redis.md does not give. */
function mayScan({ redis }: WorkerContext['store']): boolean {
  return ['', 'default'].includes(redis.options.username ?? '');
}

function toJob({ store }: WorkerContext, key: string): OrphanJob | null {
  const found = parseKey(store, key);
  if (found === null || !(found.queue === RUNS_QUEUE || /^master-[^:]+$/.test(found.queue))) return null;
  // A queue's own keys stand beside those of its jobs; the script looks into the data besides.
  if (OWN_KEYS.has(found.id)) return null;
  const [, run] = (found.queue === RUNS_QUEUE ? PARENT_ID : TASK_ID).exec(found.id) ?? [];
  return run === undefined ? null : { ...found, run };
}
