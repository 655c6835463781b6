/** Reads what {@link explainTask} must know of one task: what the claim script looks at, and who serves its queue. */
import { taskJobId } from '../flows/compile.ts';
import { gateNames } from '../flows/gate-names.ts';
import { limitKey, parseNode, type RecordNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import type { LimitFact, QueueFact, TaskFacts } from '../flows/why-facts.ts';
import type { RunState } from '../plan/states.ts';
import type { WorkerInfo } from '../producer/fleet.ts';
import type { Store } from '../producer/store.ts';
import { lineEntry, masterQueue } from '../redis/keys.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { limitName, readHoldings, readUse } from './list-limits.ts';
import { livingWorkers } from './living-workers.ts';
import { NodeReader } from './node-reader.ts';
import { readHolds } from './read-holds.ts';

const HOLDERS_AT_MOST = 3;

/** @throws PlanqError `record_damaged`; what Redis answers with */
export async function readTaskFacts(store: Store, clock: Clock, run: string, index: number): Promise<TaskFacts> {
  const [meta, text, [nodeText], time, lease, tail] = await Promise.all([
    store.record.readMeta(run),
    store.record.readTask(run, index),
    store.record.readFields(run, 'nodes', [index]),
    store.redis.time(),
    store.redis.zscore(store.keys.leases, `${run}|${index}`),
    store.record.readTail(run, index),
  ]);
  if (meta === null || nodeText === null || nodeText === undefined)
    throw new PlanqError('record_damaged', `cannot read task ${index} of run ${run}: it is gone`);
  const node = parseNode(nodeText);
  const record = parseTaskRecord(text);
  const [seconds, micros] = time.map(Number);
  const reader = new NodeReader(store, run, gateNames(meta), Number(meta.tasks));
  return {
    runId: run,
    now: seconds! * 1000 + Math.floor(micros! / 1000),
    runState: meta.state as RunState,
    task: { id: node.id, master: node.m, attempts: node.x },
    record,
    leaseUntil: lease === null ? null : Number(lease),
    needs: record.s === 'pending' ? await reader.needs(index) : [],
    roots: record.s === 'blocked' ? await reader.roots(record.b ?? []) : [],
    holds: await readHolds(store, ['all', `master:${node.m}`, `run:${run}`]),
    limits: await readLimits(store, run, node, lineEntry(run, index)),
    queue: await readQueue(store, node, run, await livingWorkers(store, clock)),
    lastOutput: tail.at(-1) ?? null,
  };
}

async function readLimits(store: Store, run: string, node: RecordNode, entry: string): Promise<LimitFact[]> {
  const [caps, used, { holders }] = await Promise.all([
    store.redis.hgetall(store.keys.caps),
    store.redis.hgetall(store.keys.used),
    readHoldings(store),
  ]);
  return Promise.all(
    node.l.map(async (take): Promise<LimitFact> => {
      const [key, [, amount, own]] = [limitKey(run, take), take];
      const line = store.keys.line(key);
      const [head, rank, before] = await Promise.all([
        store.redis.zrange(line, '0', '0', 'WITHSCORES'),
        store.redis.zrank(line, entry),
        store.redis.zcount(line, '-inf', node.o),
      ]);
      const cap = own ?? (caps[key] === undefined ? null : Number(caps[key]));
      return {
        name: limitName(key),
        amount,
        used: await readUse(store, used, key),
        capacity: cap,
        ahead: rank ?? before,
        isBehind: head[0] !== undefined && head[0] !== entry && Number(head[1]) <= Number(node.o),
        holders: (holders.get(key) ?? []).slice(0, HOLDERS_AT_MOST).map(({ run, task }) => `${run} ${task}`),
      };
    }),
  );
}

async function readQueue(
  store: Store,
  node: RecordNode,
  run: string,
  workers: readonly WorkerInfo[],
): Promise<QueueFact> {
  const queue = store.queues.queue(masterQueue(node.m));
  const id = taskJobId(run, node.id);
  const serving = workers.filter(({ masters }) => masters === null || masters[node.m] !== undefined);
  const [jobState, ahead, cap, active, isPaused] = await Promise.all([
    queue.getJobState(id),
    store.redis.zrank(`${store.keys.base}:${masterQueue(node.m)}:prioritized`, id),
    queue.getGlobalConcurrency(),
    queue.getActiveCount(),
    queue.isPaused(),
  ]);
  return {
    jobState,
    ahead,
    workers: serving.length,
    free: serving.filter(({ concurrency, running }) => running < concurrency).length,
    cap,
    active,
    isPaused,
  };
}
