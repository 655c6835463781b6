/** Raw BullMQ: the yardstick. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Lab } from './lab.ts';
import type { BenchServer } from './server.ts';

export interface RawQueue {
  prefix: string;
  /** Adds jobs, 500 at once. */
  add(count: number): Promise<void>;
  /** Resolves when so many have completed. */
  completed(count: number): Promise<void>;
  /** From when the first job was taken until the last was done, by the workers' clocks. */
  span(): Promise<{ first: number; last: number }>;
  close(): Promise<void>;
}

const LOOK_MS = 25;

export function openRaw(lab: Lab, server: BenchServer = lab.server): RawQueue {
  const prefix = `raw-${lab.next()}`;
  const { redis } = server;
  const queue = new Queue('work', { connection: { path: server.socket }, prefix });
  const done = `${prefix}:work:completed`;
  return {
    prefix,
    add: async (count) => {
      for (let from = 0; from < count; from += 500) {
        const size = Math.min(500, count - from);
        await queue.addBulk(Array.from({ length: size }, (_, at) => ({ name: 'noop', data: { n: from + at } })));
      }
    },
    completed: async (count) => {
      while ((await redis.zcard(done)) < count) await sleep(LOOK_MS);
    },
    span: async () => {
      const ids = await redis.zrange(done, '0', '-1');
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.hmget(`${prefix}:work:${id}`, 'processedOn', 'finishedOn');
      const times = ((await pipeline.exec()) ?? []).map(([, values]) => (values as string[]).map(Number));
      return {
        first: times.reduce((least, [taken]) => Math.min(least, taken!), Number.POSITIVE_INFINITY),
        last: times.reduce((most, [, ended]) => Math.max(most, ended!), 0),
      };
    },
    close: () => queue.close(),
  };
}
