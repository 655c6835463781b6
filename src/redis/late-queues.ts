/**
 * BullMQ's objects, made with the first call of one of them: most commands only look into the record, and BullMQ takes
 * longer to load than all the rest of planq.
 */
import type { FlowProducer, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import type { Queues } from './queues.ts';

/** The methods that answer with a promise: those do not mind that there is nothing behind them yet. */
type Late<T> = { [K in keyof T as T[K] extends (...args: never[]) => Promise<unknown> ? K : never]: T[K] };

export type LateQueue = Late<Queue>;

export interface LateQueues {
  flows: Late<FlowProducer>;
  /** The queue object of a name, made once. */
  queue(name: string): LateQueue;
  /** BullMQ's own name for a queue in a parent reference. */
  qualifiedName(name: string): string;
  close(): Promise<void>;
}

/** @param redis a connection that the caller closes; it connects when BullMQ first needs it */
export function createLateQueues(redis: Redis, keys: Keys): LateQueues {
  let making: Promise<Queues> | undefined;
  const made = (): Promise<Queues> => {
    making ??= import('./queues.ts').then(({ createQueues }) => createQueues(redis, keys));
    return making;
  };
  return {
    flows: late(async () => (await made()).flows),
    queue: (name) => late(async () => (await made()).queue(name)),
    qualifiedName: (name) => `${keys.base}:${name}`,
    close: async () => (await making)?.close(),
  };
}

/** Stands for an object that is not made yet; each call waits for it. What is set on it stays its own. */
function late<T extends object>(make: () => Promise<T>): Late<T> {
  const stand = new Proxy<Record<string | symbol, unknown>>(
    {},
    {
      get: (own, name) =>
        // A thing with `then` would be taken for a promise and waited for.
        name in own || name === 'then' || typeof name === 'symbol'
          ? own[name]
          : (...args: unknown[]) => call(name, args),
    },
  );
  const call = async (name: string, args: unknown[]): Promise<unknown> => {
    const object = (await make()) as Record<string, (...args: unknown[]) => unknown>;
    return object[name]!(...args);
  };
  return stand as Late<T>;
}
