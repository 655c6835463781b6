/**
 * The drill's own place: a project folder, a key prefix on the user's Redis, a store. All of it goes with `clear`; nothing
 * outside of it is written.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { environmentOf, isLive, listProcesses } from '../agents/proc.ts';
import { checkMemory } from '../producer/memory.ts';
import { openStore, type Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Config, loadConfig } from '../runtime/config.ts';
import { checkDisk } from '../runtime/disk.ts';
import { errorMessage, PlanqError } from '../runtime/errors.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../runtime/files.ts';
import { randomId } from '../runtime/random.ts';

/** Scaled down from 30 s, so that a lost worker is noticed within seconds. */
export const LOCK_MS = 2000;
export const DRAIN_MS = 200;
export const GRACE_MS = 300;
export const ZOMBIE_MS = 3000;

/** What is set for a user's own project, or to try plans out. The drill has its own. */
const WITHHELD = /^(REDIS_URL|PLANQ_PROJECT|PLANQ_PREFIX|PLANQ_CRASH_AT|PLANQ_FAKE.*)$/;

export interface Site {
  folder: string;
  prefix: string;
  config: Config;
  store: Store;
  /** Of everything that the drill starts. */
  env: Readonly<Record<string, string | undefined>>;
  /**
   * Removes all of it, once the workers have ended.
   * @returns what could not be removed, one sentence each
   */
  clear(keep: boolean): Promise<string[]>;
}

export interface SiteOptions {
  /** The user's. */
  config: Config;
  /** The user's Redis, as it is open now. */
  url: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
}

/** @throws PlanqError when the Redis or the disk is not fit for it; nothing is left then */
export async function openSite({ config: own, url, env, clock }: SiteOptions): Promise<Site> {
  const id = randomId(8);
  const prefix = `${own.prefix.slice(0, 35)}-drill-${id}`;
  const folder = path.join(tmpdir(), `planq-drill-${id}`);
  await refuseFullDisk(tmpdir());
  const siteEnv = {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !WITHHELD.test(name))),
    REDIS_URL: url,
    PLANQ_PREFIX: prefix,
    PLANQ_LOCK_MS: String(LOCK_MS),
  };
  await mkdir(folder, { mode: PRIVATE_FOLDER });
  let store: Store | undefined;
  try {
    await mkdir(path.join(folder, 'workers'));
    await writeFile(path.join(folder, 'planq.config.json'), JSON.stringify(toConfigFile(own)), { mode: PRIVATE_FILE });
    const loaded = await loadConfig(siteEnv, { projectDir: folder }, folder);
    if (!loaded.ok) throw new PlanqError('internal', `cannot configure the drill: ${loaded.error[0]?.message}`);
    store = await openStore(loaded.value, clock);
    const opened = store;
    await tryRights(opened);
    await checkMemory(opened);
    const clear = (keep: boolean): Promise<string[]> => clearSite(opened, folder, keep, clock);
    return { folder, prefix, config: loaded.value, store, env: siteEnv, clear };
  } catch (error) {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What decides how agents are held and which Redis is trusted is the user's; times and limits are the drill's. */
function toConfigFile({ volatile, isolation }: Config): unknown {
  return {
    volatile,
    isolation,
    concurrency: 10,
    limits: { agents: 1000, phases: { implementation: 1000 } },
    times: { drain: `${DRAIN_MS}ms`, grace: `${GRACE_MS}ms`, zombie: `${ZOMBIE_MS}ms`, backoff: '50ms' },
  };
}

async function refuseFullDisk(dir: string): Promise<void> {
  const lack = await checkDisk(dir);
  if (lack === null) return;
  throw new PlanqError('wrong_state', `cannot begin the drill: ${lack}`, {
    hint: 'make room, or set TMPDIR to a folder on another disk',
  });
}

/** A user with few rights may have others' keys refused to it, and the listing of its own. */
async function tryRights({ redis, keys }: Store): Promise<void> {
  const probe = `${keys.base}:probe`;
  try {
    await redis.set(probe, '1', 'PX', 10_000);
    await redis.scan('0', 'MATCH', probe, 'COUNT', 1);
    await redis.unlink(probe);
  } catch (error) {
    throw new PlanqError('redis_unfit', `cannot begin the drill on this Redis: ${errorMessage(error)}`, {
      hint: `for the drill, let the user have "~${keys.base.slice(0, -'xxxxxxxx}'.length)}*" and "+scan" besides`,
      cause: error,
    });
  }
}

const GONE_MS = 3000;
const CLEAR_MS = 30_000;

async function clearSite(store: Store, folder: string, keep: boolean, clock: Clock): Promise<string[]> {
  const left: string[] = [];
  const timer = new AbortController();
  const pattern = `${store.keys.base}*`;
  await endAgents(folder, clock);
  const late = clock.sleep(CLEAR_MS, timer.signal).then(() => 'it does not answer');
  const failure = await Promise.race([removeKeys(store, pattern).catch(errorMessage), late]);
  if (failure !== undefined) left.push(`cannot remove the keys "${pattern}" from Redis: ${failure}`);
  timer.abort();
  await closeStore(store, clock);
  if (keep) return left;
  await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
    left.push(`cannot remove the folder ${folder}: ${errorMessage(error)}`);
  });
  return left;
}

/** Not for ever where the server is gone. */
async function closeStore(store: Store, clock: Clock): Promise<void> {
  const timer = new AbortController();
  await Promise.race([store.close().catch(() => undefined), clock.sleep(GONE_MS, timer.signal)]);
  timer.abort();
}

/** The guardians have ended the agents, or will in a moment; what is still there then carries the drill's folder. */
async function endAgents(folder: string, clock: Clock): Promise<void> {
  const own = (): number[] =>
    listProcesses()
      .filter(
        (info) => isLive(info) && environmentOf(info.pid)?.get('PLANQ_WORKSPACE')?.startsWith(`${folder}${path.sep}`),
      )
      .map(({ pid }) => pid);
  const deadline = clock.monotonic() + GONE_MS;
  while (own().length > 0 && clock.monotonic() < deadline) await clock.sleep(20);
  for (const pid of own()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Until a whole pass finds none: what a dying worker had sent may come in meanwhile. */
async function removeKeys({ redis }: Store, pattern: string): Promise<void> {
  let removed: number;
  do {
    removed = 0;
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 5000);
      if (keys.length > 0) removed += await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  } while (removed > 0);
}
