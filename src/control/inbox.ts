/**
 * Everything that waits for a person, over all runs that have not ended: approvals, failures, pauses.
 */
import { findWaiting, type Waiting } from '../flows/waiting.ts';
import type { HoldFact } from '../flows/why-facts.ts';
import { describeHold } from '../flows/why-holds.ts';
import type { Store } from '../producer/store.ts';
import { toIso } from '../runtime/clock.ts';
import { readGraph } from './read-graph.ts';
import { readHolds } from './read-holds.ts';

export interface InboxItem extends Omit<Waiting, 'kind'> {
  kind: Waiting['kind'] | 'paused';
  /** Null for what concerns all runs. */
  run: string | null;
  runName: string | null;
}

/** Most unblocking first, then the one that waits longest. Throws what Redis answers with. */
export async function listInbox(store: Store): Promise<InboxItem[]> {
  const items: InboxItem[] = [];
  const open = new Map<string, { name: string; left: number }>();
  for await (const run of liveRuns(store)) {
    const meta = await store.record.readMeta(run);
    if (meta === null) continue;
    open.set(run, { name: meta.name ?? '', left: countLeft(meta) });
    if (!hasWaiting(meta)) continue;
    for (const waiting of await listWaiting(store, run)) items.push({ ...waiting, run, runName: meta.name ?? '' });
  }
  // A run that was cancelled during its pause waits for nobody.
  const holds = (await readHolds(store)).filter(({ name }) => !name.startsWith('run:') || open.has(name.slice(4)));
  for (const hold of holds) items.push(await toPausedItem(store, hold, open));
  return items.sort((a, b) => b.unblocks - a.unblocks || (a.since ?? '').localeCompare(b.since ?? ''));
}

/** What of one run waits for a person. */
export async function listWaiting(store: Store, run: string): Promise<Waiting[]> {
  const graph = await readGraph(store, run);
  // With on-failure "continue" nobody is waited for.
  if (graph === null) return [];
  const waiting = findWaiting(run, graph.nodes);
  return graph.meta.onFailure === 'continue' ? waiting.filter(({ kind }) => kind !== 'failure') : waiting;
}

async function* liveRuns(store: Store): AsyncGenerator<string, void, void> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, runs] = await store.redis.sscan(store.keys.live, cursor, 'COUNT', 100);
    for (const run of runs) {
      if (!seen.has(run)) yield run;
      seen.add(run);
    }
    cursor = next;
  } while (cursor !== '0');
}

function hasWaiting(meta: Readonly<Record<string, string>>): boolean {
  const count = (name: string): number => Number(meta[name] ?? 0);
  const isAsked = count('n:approval') + count('n:gated') > 0;
  return meta.state === 'blocked' || isAsked || count('n:failed') - count('n:tolerated') > 0;
}

function countLeft(meta: Readonly<Record<string, string>>): number {
  return ['pending', 'ready', 'parked'].reduce((sum, state) => sum + Number(meta[`n:${state}`] ?? 0), 0);
}

async function toPausedItem(
  store: Store,
  hold: HoldFact,
  open: ReadonlyMap<string, { name: string; left: number }>,
): Promise<InboxItem> {
  const [kind, id = ''] = hold.name.split(':');
  const run = kind === 'run' ? open.get(id) : undefined;
  const unblocks =
    kind === 'all'
      ? [...open.values()].reduce((sum, { left }) => sum + left, 0)
      : (run?.left ?? (await store.redis.zcard(store.keys.line(`hold:${hold.name}`))));
  return {
    kind: 'paused',
    subject: describeHold(hold.name)[0],
    reason: `by ${hold.by}${hold.comment === '' ? '' : `: ${hold.comment}`}`,
    since: toIso(hold.at),
    unblocks,
    command: `planq resume ${describeHold(hold.name)[1]}`,
    run: kind === 'run' ? id : null,
    runName: run?.name ?? null,
  };
}
