/**
 * Who has what: every limit with its capacity, what is in use, who holds it and who waits for it.
 */
import { type LimitTake, limitKey, parseNode } from '../flows/node.ts';
import type { Store } from '../producer/store.ts';

export interface LimitView {
  /** `agents`, a resource's name, or of a run: `agents of run <run>`, `phase <phase> of run <run>`. */
  name: string;
  /** Null when nothing says how much there is. */
  capacity: number | null;
  used: number;
  holders: { run: string; task: string; amount: number }[];
  /** How many wait, and the first ten of them in order. */
  waiting: number;
  next: { run: string; task: string }[];
}

/** What is held of each limit, by the limit's key. */
export interface Holdings {
  holders: Map<string, LimitView['holders']>;
  /** Capacities that only the run itself sets. */
  ownCaps: Map<string, number>;
}

const FIRST = 10;

/** All limits that are defined, in use or waited for; the shared ones first. */
export async function listLimits(store: Store): Promise<LimitView[]> {
  const [caps, used, { holders, ownCaps }] = await Promise.all([
    store.redis.hgetall(store.keys.caps),
    store.redis.hgetall(store.keys.used),
    readHoldings(store),
  ]);
  const keys = [...new Set([...Object.keys(caps), ...Object.keys(used), ...holders.keys()])];
  keys.sort((a, b) => Number(isOwn(a)) - Number(isOwn(b)) || a.localeCompare(b));
  return Promise.all(
    keys.map(async (key): Promise<LimitView> => {
      const [waiting, next] = await Promise.all([
        store.redis.zcard(store.keys.line(key)),
        store.redis.zrange(store.keys.line(key), '0', String(FIRST - 1)),
      ]);
      return {
        name: limitName(key),
        capacity: caps[key] === undefined ? (ownCaps.get(key) ?? null) : Number(caps[key]),
        used: await readUse(store, used, key),
        holders: holders.get(key) ?? [],
        waiting,
        next: (await readMembers(store, next)).map(({ run, id }) => ({ run, task: id })),
      };
    }),
  );
}

/** What is in use of a limit, as a claim sees it: of shared ones it stands in one hash, of a run's own in its status. */
export async function readUse(store: Store, shared: Readonly<Record<string, string>>, key: string): Promise<number> {
  if (!isOwn(key)) return Number(shared[key] ?? 0);
  const [, run = '', ...name] = key.split(':');
  return store.record.readOwnUse(run, name.join(':'));
}

/** Who holds shares now, by all leases that live. */
export async function readHoldings(store: Store): Promise<Holdings> {
  const leases = await store.redis.zrange(store.keys.leases, '0', '-1');
  const holders: Holdings['holders'] = new Map();
  const ownCaps = new Map<string, number>();
  for (const { run, id, limits } of await readMembers(store, leases)) {
    for (const take of limits) {
      const [key, [, amount, cap]] = [limitKey(run, take), take];
      const list = holders.get(key) ?? [];
      list.push({ run, task: id, amount });
      holders.set(key, list);
      if (cap !== undefined) ownCaps.set(key, cap);
    }
  }
  return { holders, ownCaps };
}

interface Member {
  run: string;
  id: string;
  limits: LimitTake[];
}

/** The tasks behind `<run>|<index>`, from leases or from a line; those of a run that is gone are left out. */
async function readMembers(store: Store, members: readonly string[]): Promise<Member[]> {
  const found = await Promise.all(
    members.map(async (member): Promise<Member[]> => {
      const [run = '', index = ''] = member.split('|');
      const [text] = await store.record.readFields(run, 'nodes', [Number(index)]);
      if (text === null || text === undefined) return [];
      const node = parseNode(text);
      return [{ run, id: node.id, limits: node.l }];
    }),
  );
  return found.flat();
}

/** A limit's key as people say it: `res:gpu` → `gpu`, `run:abc:phase:analysis` → `phase analysis of run abc`. */
export function limitName(key: string): string {
  if (key.startsWith('res:')) return key.slice('res:'.length);
  if (!isOwn(key)) return key;
  const [, run, ...what] = key.split(':');
  return `${what.join(' ')} of run ${run}`;
}

function isOwn(key: string): boolean {
  return key.startsWith('run:');
}
