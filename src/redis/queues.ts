/**
 * All BullMQ objects are made here. BullMQ moves work and knows nothing else: its own attempts and stall limits are set
 * so high that the record alone decides, and the default rule for failed children is the only one used.
 */
import { type FlowJob, FlowProducer, type Job, Queue, type Worker, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { RenewingWorker } from './renewing-worker.ts';
import { type Claimed, type Reservation, TurnWorker } from './turn-worker.ts';
import type { Turns } from './turns.ts';

export { DelayedError, UnrecoverableError, WaitingChildrenError, WaitingError } from 'bullmq';
export type { FlowJob, Job, TurnWorker, Worker };

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

interface AnyWorkerOptions {
  redis: Redis;
  keys: Keys;
  queue: string;
  concurrency: number;
  times: LockTimes;
  /** Called with every renewal of BullMQ's locks, before it is sent: the record's leases go in the same breath. */
  onRenew(jobIds: string[]): void;
  onError(error: unknown): void;
}

export interface JobWorkerOptions extends AnyWorkerOptions {
  perform(job: Job, token: string): Promise<unknown>;
}

export interface TaskWorkerOptions extends AnyWorkerOptions {
  turns: Turns;
  /** As in {@link TurnWorker}. */
  reserve(): Reservation | null;
  waitForRoom(): Promise<Reservation> | null;
  /** @param claimed when the job was claimed with being taken */
  perform(job: Job, token: string, claimed: Claimed | undefined): Promise<unknown>;
}

/** A BullMQ worker. It runs at once. */
export function createJobWorker(options: JobWorkerOptions): Worker {
  const perform = (job: Job, token?: string) => options.perform(job, token ?? '');
  return listen(new RenewingWorker(options.queue, perform, toWorkerOptions(options)), options);
}

/** A BullMQ worker for the jobs of tasks. It runs at once. */
export function createTaskWorker(options: TaskWorkerOptions): TurnWorker {
  const wakeAnother = () => wakeWorkers(options.redis, options.keys, options.queue);
  return listen(new TurnWorker({ ...options, worker: toWorkerOptions(options), wakeAnother }), options);
}

function listen<W extends RenewingWorker>(worker: W, options: AnyWorkerOptions): W {
  worker.onRenew = options.onRenew;
  worker.on('error', options.onError);
  return worker;
}

function toWorkerOptions({ redis, keys, concurrency, times }: AnyWorkerOptions): WorkerOptions {
  return {
    connection: redis,
    prefix: keys.base,
    concurrency,
    lockDuration: times.lockMs,
    stalledInterval: times.stalledMs,
    maxStalledCount: 1000,
    drainDelay: 5,
  };
}

/** Lets a worker that waits for jobs of the queue look again; one that finds none goes on waiting. */
export async function wakeWorkers(redis: Redis, keys: Keys, queue: string): Promise<void> {
  await redis.zadd(`${keys.base}:${queue}:marker`, 0, '0');
}
