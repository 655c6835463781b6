/** Hears planq's events as they come, with the time at which this process heard them (monotonic, parts of a ms). */
import { Redis } from 'ioredis';
import { type Happening, lastEvent, type Planq, toHappenings } from './planq.ts';

export interface Heard extends Happening {
  heardAt: number;
}

export interface Follower {
  /** The next event for which this is so, heard from now on. */
  next(isIt: (heard: Heard) => boolean): Promise<Heard>;
  /** All that was heard since the last call. */
  take(): Heard[];
  stop(): Promise<void>;
}

type Reply = [string, [string, string[]][]][] | null;

/** Begins with what comes after now. */
export async function follow(planq: Planq): Promise<Follower> {
  const { server, prefix } = planq;
  const stream = `{${prefix}}:events`;
  const redis = new Redis({ path: server.socket, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  let cursor = await lastEvent(planq);
  let heard: Heard[] = [];
  let waiting: { isIt(one: Heard): boolean; resolve(one: Heard): void }[] = [];
  let isOver = false;
  const listen = async (): Promise<void> => {
    while (!isOver) {
      const reply = (await redis.xread('COUNT', 500, 'BLOCK', 1000, 'STREAMS', stream, cursor)) as Reply;
      const heardAt = performance.now();
      const entries = reply?.[0]?.[1] ?? [];
      cursor = entries.at(-1)?.[0] ?? cursor;
      for (const one of entries.flatMap(toHappenings).map((happening) => ({ ...happening, heardAt }))) {
        heard.push(one);
        for (const { resolve } of waiting.filter(({ isIt }) => isIt(one))) resolve(one);
        waiting = waiting.filter(({ isIt }) => !isIt(one));
      }
    }
  };
  const listening = listen().catch((error: unknown) => {
    if (!isOver) throw error;
  });
  return {
    next: (isIt) => new Promise((resolve) => waiting.push({ isIt, resolve })),
    take: () => {
      const all = heard;
      heard = [];
      return all;
    },
    stop: async () => {
      isOver = true;
      redis.disconnect();
      await listening;
    },
  };
}
