/**
 * Who has what: every limit with its capacity, what is in use, who holds it and who waits for it.
 */
import { parseNode } from '../flows/node.ts';
import type { Store } from '../producer/store.ts';

export interface LimitView {
  /** `agents`, a resource's name, or of a run: `<run> agents`, `<run> phase <phase>`. */
  name: string;
  /** Null where only the run itself sets it. */
  capacity: number | null;
  used: number;
  holders: { run: string; task: string; amount: number }[];
  /** How many wait, and the first ten of them in order. */
  waiting: number;
  next: { run: string; task: string }[];
}

const FIRST = 10;

/** All limits that are defined, in use or waited for; the shared ones first. */
export async function listLimits(store: Store): Promise<LimitView[]> {
  const [caps, used, leases] = await Promise.all([
    store.redis.hgetall(store.keys.caps),
    store.redis.hgetall(store.keys.used),
    store.redis.zrange(store.keys.leases, '0', '-1'),
  ]);
  const holders = await readHolders(store, leases);
  const names = new Set([...Object.keys(caps), ...Object.keys(used), ...holders.keys()]);
  const views = await Promise.all(
    [...names].map(async (key: string): Promise<LimitView> => {
      const [waiting, next] = await Promise.all([
        store.redis.zcard(store.keys.line(key)),
        store.redis.zrange(store.keys.line(key), '0', String(FIRST - 1)),
      ]);
      return {
        name: toName(key),
        capacity: caps[key] === undefined ? null : Number(caps[key]),
        used: Number(used[key] ?? 0),
        holders: holders.get(key) ?? [],
        waiting,
        next: await Promise.all(next.map((member) => toTask(store, member))),
      };
    }),
  );
  return views.sort(
    (a, b) => Number(a.capacity === null) - Number(b.capacity === null) || a.name.localeCompare(b.name),
  );
}

async function readHolders(store: Store, leases: readonly string[]): Promise<Map<string, LimitView['holders']>> {
  const holders = new Map<string, LimitView['holders']>();
  for (const member of leases) {
    const [run = '', index = ''] = member.split('|');
    const [text] = await store.record.readFields(run, 'nodes', [Number(index)]);
    if (text === null || text === undefined) continue;
    const node = parseNode(text);
    for (const [key, amount] of node.l) {
      const list = holders.get(key) ?? [];
      list.push({ run, task: node.id, amount });
      holders.set(key, list);
    }
  }
  return holders;
}

async function toTask(store: Store, member: string): Promise<{ run: string; task: string }> {
  const [run = '', index = ''] = member.split('|');
  const [text] = await store.record.readFields(run, 'nodes', [Number(index)]);
  return { run, task: text === null || text === undefined ? index : parseNode(text).id };
}

/** `res:gpu` → `gpu`, `run:abc:phase:analysis` → `abc phase analysis`. */
function toName(key: string): string {
  if (key.startsWith('res:')) return key.slice(4);
  return key.startsWith('run:') ? key.slice(4).replaceAll(':', ' ') : key;
}
