/**
 * The master queues that a worker process serves, one BullMQ worker for each, which share its slots.
 */

import { parseJobData } from '../flows/job-data.ts';
import { masterQueue } from '../redis/keys.ts';
import { createTaskWorker, type Job, type TurnWorker, type Worker } from '../redis/queues.ts';
import type { Claimed, Reservation } from '../redis/turn-worker.ts';
import type { Turns } from '../redis/turns.ts';
import { randomToken } from '../runtime/random.ts';
import type { WorkerContext } from './context.ts';
import { performTask } from './perform.ts';
import { refuseJob } from './settle.ts';

interface Line {
  worker: TurnWorker;
  /** The most at once that this queue may have here. */
  cap: number;
  /** Jobs that are performed and rooms that are reserved. */
  active: number;
}

export class Lines {
  readonly #lines = new Map<string, Line>();
  readonly #turns: Turns;
  #isLooking = false;

  constructor(private readonly context: WorkerContext) {
    const { store, config, workerId } = context;
    const { lockMs } = config.times;
    this.#turns = store.record.openTurns({ workerId, leaseMs: lockMs, lockMs, randomToken });
  }

  get workers(): Worker[] {
    return [...this.#lines.values()].map((line) => line.worker);
  }

  /** @returns the worker that was started for it; undefined when it is served already */
  serve(master: string, cap: number): Worker | undefined {
    if (this.#lines.has(master)) return undefined;
    const line: Line = { cap, active: 0, worker: undefined as never };
    this.#lines.set(master, line);
    const { store, config, holdings, complain } = this.context;
    line.worker = createTaskWorker({
      redis: store.redis,
      keys: store.keys,
      queue: masterQueue(master),
      concurrency: cap,
      times: config.times,
      turns: this.#turns,
      reserve: () => this.#reserve(line),
      waitForRoom: () => (line.active > 0 ? null : this.#waitForRoom(line)),
      perform: (job, token, claimed) => this.#perform(line, job, token, claimed),
      onRenew: (jobIds) => holdings.renew(jobIds),
      onError: complain,
    });
    return line.worker;
  }

  #reserve(line: Line): Reservation | null {
    const { slots, isQuiet } = this.context;
    if (!isQuiet() && line.active < line.cap && slots.tryTake()) return this.#toReservation(line);
    // Others have taken what this queue was promised: with fewer it does not ask again before something ends.
    this.#spread();
    return null;
  }

  async #waitForRoom(line: Line): Promise<Reservation> {
    await this.context.slots.take();
    return this.#toReservation(line);
  }

  #toReservation(line: Line): Reservation {
    line.active++;
    let isGiven = false;
    const giveBack = (): void => {
      if (isGiven) return;
      isGiven = true;
      this.context.slots.give();
      this.#leave(line);
    };
    return { token: randomToken(), at: this.context.clock.monotonic(), giveBack };
  }

  async #perform(line: Line, job: Job, token: string, claimed: Claimed | undefined): Promise<unknown> {
    const data = parseJobData(job.data);
    if (data?.kind !== 'task') {
      claimed?.reservation.giveBack();
      return refuseJob(this.context, job, 'its data are not those of a task');
    }
    if (claimed === undefined) line.active++;
    this.#spread();
    try {
      return await performTask(this.context, job, token, data, claimed);
    } finally {
      this.#leave(line);
    }
  }

  #leave(line: Line): void {
    line.active--;
    this.#spread();
  }

  /** Lets every queue fetch only as much as there are free slots. */
  #spread(): void {
    const { free } = this.context.slots;
    for (const { worker, cap, active } of this.#lines.values())
      worker.concurrency = Math.max(1, Math.min(cap, active + free));
    if (free > 0) this.#lookSoon();
  }

  /** What is free now goes to the next job of the queue whose job has ended; what stays free, to any that may have more. */
  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      for (const { worker, cap, active } of this.#lines.values())
        if (this.context.slots.free > 0 && active > 0 && active < cap) worker.look();
    });
  }
}
