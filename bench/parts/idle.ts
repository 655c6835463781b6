/** (h) memory of a worker that has worked and has nothing to do; (j) what it and Redis cost meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CONCURRENCY } from '../drain.ts';
import type { Lab } from '../lab.ts';
import { cpuMs, familyOf, memoryOf } from '../proc.ts';
import { openRaw } from '../raw.ts';
import { atMost, type Row, row } from '../rows.ts';
import { openStanding } from '../standing.ts';
import type { PartFile } from './part.ts';

/** What a worker still has to do after its last task is not idling. */
const SETTLE_MS = 2000;

interface Idle {
  /** Percent of one core; the worker with its guardian. */
  worker: number;
  redis: number;
  /** Bytes of the worker alone, and of what it has started. */
  bytes: number;
  othersBytes: number;
}

export const idle: PartFile = {
  parts: ['h', 'j'],
  measure: async (lab) => {
    const bare = await watch(lab, null);
    const raw = await idleRaw(lab);
    const planq = await idlePlanq(lab);
    lab.say(`idle: worker ${planq.worker.toFixed(2)} %, Redis ${planq.redis.toFixed(2)} % of a core`);
    return { rows: toRows(bare, raw, planq) };
  },
};

function toRows(bare: Idle, raw: Idle, planq: Idle): Row[] {
  const part = 'j' as const;
  const unit = 'percent' as const;
  return [
    row({ part: 'h', id: 'raw-idle', what: 'idle worker: raw BullMQ', value: raw.bytes, unit: 'bytes' }),
    row({ part: 'h', id: 'planq-idle', what: 'idle worker: planq', value: planq.bytes, unit: 'bytes' }),
    row({ part: 'h', id: 'guardian-idle', what: "idle worker's guardian", value: planq.othersBytes, unit: 'bytes' }),
    row({ part, id: 'raw-worker', what: 'idle worker, of a core: raw BullMQ', value: raw.worker, unit }),
    row({
      part,
      id: 'planq-worker',
      what: 'idle worker with its guardian, of a core: planq',
      value: planq.worker,
      unit,
      target: atMost(1),
    }),
    row({ part, id: 'bare-redis', what: 'Redis, of a core: nobody connected', value: bare.redis, unit }),
    row({ part, id: 'raw-redis', what: 'Redis, of a core: one idle raw worker', value: raw.redis, unit }),
    row({ part, id: 'planq-redis', what: 'Redis, of a core: one idle planq worker', value: planq.redis, unit }),
  ];
}

async function idleRaw(lab: Lab): Promise<Idle> {
  await lab.server.empty();
  const queue = openRaw(lab);
  const worker = await lab.startProcess('raw-worker');
  await worker.start({ socket: lab.server.socket, prefix: queue.prefix, projectDir: '', concurrency: CONCURRENCY });
  await queue.add(300);
  await queue.completed(300);
  await worker.collect();
  const found = await watch(lab, worker.pid);
  await worker.end();
  await queue.close();
  return found;
}

async function idlePlanq(lab: Lab): Promise<Idle> {
  const standing = await openStanding(lab);
  // It would keep Redis busy.
  await standing.follower.stop();
  await standing.worker.collect();
  const found = await watch(lab, standing.worker.pid);
  await standing.end();
  return found;
}

async function watch(lab: Lab, pid: number | null): Promise<Idle> {
  const quick = lab.options.quick;
  await sleep(quick ? 100 : SETTLE_MS);
  const watchMs = quick ? 1000 : 20_000;
  const family = pid === null ? [] : familyOf(pid);
  const cpu = (): number => family.reduce((sum, one) => sum + cpuMs(one), 0);
  const [cpuBefore, redisBefore] = [cpu(), cpuMs(lab.server.pid)];
  await sleep(watchMs);
  const bytes = family.map((one) => memoryOf(one).now);
  return {
    worker: ((cpu() - cpuBefore) * 100) / watchMs,
    redis: ((cpuMs(lab.server.pid) - redisBefore) * 100) / watchMs,
    bytes: pid === null ? 0 : memoryOf(pid).now,
    othersBytes: bytes.reduce((sum, one) => sum + one, 0) - (pid === null ? 0 : memoryOf(pid).now),
  };
}
