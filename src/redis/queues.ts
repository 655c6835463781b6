/**
 * All BullMQ objects are made here. BullMQ moves work and knows nothing else: its own attempts and stall limits are set
 * so high that the record alone decides, and the default rule for failed children is the only one used.
 */
import { type FlowJob, FlowProducer, type Job, Queue, Worker, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

export { DelayedError, UnrecoverableError, WaitingChildrenError, WaitingError } from 'bullmq';
export type { FlowJob, Job, Worker };

export interface Queues {
  flows: FlowProducer;
  /** The queue object of a name, made once. */
  queue(name: string): Queue;
  close(): Promise<void>;
}

/** @param redis a connection that the caller closes */
export function createQueues(redis: Redis, keys: Keys): Queues {
  const options = { connection: redis, prefix: keys.base };
  const flows = new FlowProducer(options);
  flows.on('error', () => undefined);
  const queues = new Map<string, Queue>();
  return {
    flows,
    queue: (name) => {
      let queue = queues.get(name);
      if (queue === undefined) {
        queue = new Queue(name, options);
        queue.on('error', () => undefined);
        queues.set(name, queue);
      }
      return queue;
    },
    close: async () => {
      await Promise.all([flows.close(), ...[...queues.values()].map((queue) => queue.close())]);
    },
  };
}

export interface LockTimes {
  lockMs: number;
  stalledMs: number;
}

export interface JobWorkerOptions {
  redis: Redis;
  keys: Keys;
  queue: string;
  concurrency: number;
  times: LockTimes;
  perform(job: Job, token: string): Promise<unknown>;
  /** Called with every renewal of BullMQ's locks, before it is sent: the record's leases go in the same breath. */
  onRenew(jobIds: string[]): void;
  onError(error: Error): void;
}

/** A BullMQ worker that tells when it renews its locks. It runs at once. */
export function createJobWorker(options: JobWorkerOptions): Worker {
  const workerOptions: WorkerOptions = {
    connection: options.redis,
    prefix: options.keys.base,
    concurrency: options.concurrency,
    lockDuration: options.times.lockMs,
    stalledInterval: options.times.stalledMs,
    maxStalledCount: 1000,
    drainDelay: 5,
  };
  const worker = new RenewingWorker(options.queue, (job, token) => options.perform(job, token ?? ''), workerOptions);
  worker.onRenew = options.onRenew;
  worker.on('error', options.onError);
  return worker;
}

/** Lets a worker that waits for jobs of the queue look again; one that finds none goes on waiting. */
export async function wakeWorkers(redis: Redis, keys: Keys, queue: string): Promise<void> {
  await redis.zadd(`${keys.base}:${queue}:marker`, 0, '0');
}

class RenewingWorker extends Worker {
  onRenew: (jobIds: string[]) => void = () => undefined;

  override async extendJobLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    this.onRenew(jobIds);
    return super.extendJobLocks(jobIds, tokens, duration);
  }
}
