/**
 * Looks for hashes of jobs of runs that no record knows and that no set of their queue names: nothing leads to them any
 * more. Walks through the server's keys, some hundred in a pass, where it may; the user of docs/redis.md may not.
 *
 * BullMQ's own `removeOrphanedJobs` is not used: it walks through all keys in one call, tells neither which jobs it removes
 * nor whether their run lives, and leaves the parents of what it removes waiting for ever.
 */
import { parseKey } from '../producer/release-parent.ts';
import { mayListKeys } from '../redis/access.ts';
import { RUNS_QUEUE } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';
import { warnOf } from './repairs.ts';

const KEYS_PER_PASS = 500;
const ORPHANS_PER_PASS = 100;

/** Orphans only take room; after a walk through all keys so many passes go by before the next. */
const PASSES_BETWEEN_WALKS = 12;

const TASK_ID = /^([a-z0-9]+)\..+$/;
const PARENT_ID = /^([a-z0-9]+)(?:\.stage-\d+)?$/;
const OWN_KEYS: ReadonlySet<string> = new Set(['meta', 'pc', 'de', 'repeat', 'metrics']);

export interface OrphanJob {
  queue: string;
  id: string;
  run: string;
}

/** Remembers how far it has gone. */
export interface KeyWalk {
  /** Those of the next page of keys; none where this user may not list keys. @throws Redis errors */
  nextOrphans(): Promise<OrphanJob[]>;
}

export function createKeyWalk(worker: WorkerContext): KeyWalk {
  let cursor = '0';
  let rest = mayListKeys(worker.store.redis) ? 0 : Number.POSITIVE_INFINITY;
  return {
    nextOrphans: async () => {
      if (rest-- > 0) return [];
      const page = await readPage(worker, cursor);
      cursor = page?.cursor ?? '0';
      if (page === null) rest = Number.POSITIVE_INFINITY;
      else rest = cursor === '0' ? PASSES_BETWEEN_WALKS : 0;
      return findOrphans(worker, page?.jobs ?? []);
    },
  };
}

/** @returns null when this user may not list keys */
async function readPage(worker: WorkerContext, from: string): Promise<{ cursor: string; jobs: OrphanJob[] } | null> {
  const { redis, keys } = worker.store;
  try {
    const [cursor, found] = await redis.scan(from, 'MATCH', `${keys.base}:*`, 'COUNT', KEYS_PER_PASS, 'TYPE', 'hash');
    return { cursor, jobs: found.map((key) => toJob(worker, key)).filter((job) => job !== null) };
  } catch (error) {
    if (/NOPERM|no permissions/i.test(String(error))) return null;
    throw error;
  }
}

/** Most jobs are of runs that the record knows, which is asked once for all that a page names. */
async function findOrphans({ store }: WorkerContext, jobs: readonly OrphanJob[]): Promise<OrphanJob[]> {
  const runs = [...new Set(jobs.map(({ run }) => run))];
  const known = await Promise.all(runs.map((run) => store.redis.exists(store.keys.run(run))));
  const unknown = new Set(runs.filter((_, at) => known[at] === 0));
  const orphans: OrphanJob[] = [];
  for (const job of jobs)
    if (unknown.has(job.run) && orphans.length < ORPHANS_PER_PASS && (await store.audits.lookAtOrphan(job, false)))
      orphans.push(job);
  return orphans;
}

/** Looks again, and removes it. */
export async function removeOrphan(worker: WorkerContext, job: OrphanJob): Promise<void> {
  if (await worker.store.audits.lookAtOrphan(job, true)) warnOf(worker, { what: 'orphan', run: '', name: job.id });
}

function toJob({ store }: WorkerContext, key: string): OrphanJob | null {
  const found = parseKey(store, key);
  if (found === null || !(found.queue === RUNS_QUEUE || /^master-[^:]+$/.test(found.queue))) return null;
  // A queue's own keys stand beside those of its jobs; the script looks into the data besides.
  if (OWN_KEYS.has(found.id)) return null;
  const [, run] = (found.queue === RUNS_QUEUE ? PARENT_ID : TASK_ID).exec(found.id) ?? [];
  return run === undefined ? null : { ...found, run };
}
