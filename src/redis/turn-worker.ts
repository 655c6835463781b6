/**
 * A BullMQ worker for tasks, whose jobs end and begin by turns: the end of one job, the next one and its claim are one call.
 * What turns leave to BullMQ (a queue with limits, jobs that are due, a job that is not ours) goes by BullMQ's own scripts.
 */
import type { Job, WorkerOptions } from 'bullmq';
import { toJobJson } from './job-json.ts';
import { RenewingWorker } from './renewing-worker.ts';
import type { ClaimReply, SettleReply } from './replies.ts';
import type { TakenJob } from './taken-job.ts';
import type { Turn, TurnReply, Turns } from './turns.ts';

/** Room in this process for one task more: no job is taken without it, so that none waits here while another worker is idle. */
export interface Reservation {
  /** For the claim. */
  token: string;
  /** Monotonic ms, before the claim was sent. */
  at: number;
  /** When no task came of it; safe to call twice. */
  giveBack(): void;
}

/** A claim that came with its job. Whoever is given it has the room that was reserved. */
export interface Claimed {
  reservation: Reservation;
  reply: ClaimReply;
}

/** What a task that needs nothing between its settling and the end of its job returns: both are one call then. */
export class Ending {
  constructor(
    /** Of the settle script. */
    readonly settle: readonly string[],
    /** The job's return value when the task completes. */
    readonly returnValue: unknown,
    /**
     * What is left to do after, undefined when that is nothing; resolves to the job's return value or rejects with what tells
     * BullMQ where the job goes.
     */
    readonly settled: (reply: SettleReply) => Promise<unknown> | undefined,
    /** Settles by itself, where the call was refused. As `settled`. */
    readonly settleAlone: () => Promise<unknown>,
  ) {}
}

export interface TurnWorkerOptions {
  queue: string;
  turns: Turns;
  worker: WorkerOptions;
  /** Null when there is no room now. */
  reserve(): Reservation | null;
  /** When there is no room and nothing of this queue is performed whose end would make this worker look again; else null. */
  waitForRoom(): Promise<Reservation> | null;
  /** Lets another worker that waits for jobs of this queue look for them. */
  wakeAnother(): Promise<unknown>;
  perform(job: Job, token: string, claimed: Claimed | undefined): Promise<unknown>;
  onError(error: unknown): void;
}

/** The most jobs that one look takes. */
const MOST = 16;

/** What BullMQ's main loop waits for; it has no public name. */
interface Insides {
  mainLoopQueue: { add(fetched: Promise<Job | undefined>): void } | null;
  blockUntil: number;
  /** It waits for a wake-up before it looks again. */
  drained: boolean;
}

export class TurnWorker extends RenewingWorker {
  readonly #claims = new Map<string, Claimed>();
  /** How many jobs the next look takes: it doubles as long as there are some. */
  #appetite = 1;
  #looks = 0;

  constructor(private readonly options: TurnWorkerOptions) {
    super(options.queue, (job, token) => this.#perform(job, token ?? ''), { ...options.worker, autorun: false });
    void this.run().catch(options.onError);
  }

  /** There is more room than there was: looks again, without waiting for the end of a job. */
  look(): void {
    if (!this.paused && !this.closing) this.#insides.mainLoopQueue?.add(Promise.resolve(undefined));
  }

  get #insides(): Insides {
    return this as unknown as Insides;
  }

  #perform(job: Job, token: string): Promise<unknown> {
    const key = `${token} ${job.id ?? ''}`;
    const claimed = this.#claims.get(key);
    this.#claims.delete(key);
    return this.options.perform(job, token, claimed);
  }

  protected override async moveToActive(token: string): Promise<Job> {
    const room = this.options.reserve() ?? (await this.#findRoom());
    if (room === null) return (await this.#nothing()) as never;
    const first = this.#fetch(token, room);
    // BullMQ looks for one job after the other; where there are many, they come together.
    const { mainLoopQueue } = this.#insides;
    for (let count = 1; mainLoopQueue !== null && count < this.#appetite; count++) {
      const more = this.options.reserve();
      if (more === null) break;
      mainLoopQueue.add(this.#fetchMore(`${this.id}+${this.#looks++}`, more));
    }
    const job = await first;
    this.#appetite = job === undefined ? 1 : Math.min(2 * this.#appetite, MOST);
    return job as Job;
  }

  /** Room that somebody gives back, where that is to be waited for. The wake-up that came here may have been for another. */
  async #findRoom(): Promise<Reservation | null> {
    if (this.#insides.drained) {
      this.#insides.drained = false;
      await this.options.wakeAnother();
    }
    return this.options.waitForRoom();
  }

  async #fetch(token: string, room: Reservation): Promise<Job | undefined> {
    try {
      if (this.paused || this.closing) {
        room.giveBack();
        return await this.#nothing();
      }
      const { queue, turns } = this.options;
      const { next } = await turns.call({ queue, lock: token, next: room.token });
      return await this.#open(next, token, room);
    } catch (error) {
      room.giveBack();
      throw error;
    }
  }

  /** BullMQ's main loop may ask again at once: never without letting anything else happen. */
  async #nothing(): Promise<undefined> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  async #fetchMore(token: string, room: Reservation): Promise<Job | undefined> {
    try {
      const { queue, turns } = this.options;
      const { next } = await turns.call({ queue, lock: token, next: room.token });
      if (typeof next !== 'string') return await this.#open(next, token, room);
    } catch (error) {
      this.options.onError(error);
    }
    room.giveBack();
    return undefined;
  }

  /** The next job is looked for with room for it. */
  protected override async handleFailed(
    error: Error,
    job: Job,
    token: string,
    _fetchNext?: () => boolean,
    ...rest: never[]
  ): Promise<Job> {
    return super.handleFailed(error, job, token, () => false, ...rest);
  }

  protected override async handleCompleted(
    result: unknown,
    job: Job,
    token: string,
    fetchNext: () => boolean = () => true,
    ...rest: never[]
  ): Promise<Job> {
    const byBullMQ = (value: unknown) => super.handleCompleted(value, job, token, () => false, ...rest);
    const ending = result instanceof Ending ? result : null;
    const room = fetchNext() && !this.closing && !this.paused ? this.options.reserve() : null;
    let reply: TurnReply;
    try {
      reply = await this.options.turns.call({
        queue: this.options.queue,
        lock: token,
        complete: toComplete(job, ending === null ? result : ending.returnValue),
        ...(room === null ? {} : { next: room.token }),
        ...(ending === null ? {} : { settle: ending.settle }),
      });
    } catch (error) {
      room?.giveBack();
      if (ending === null) return byBullMQ(result);
      this.options.onError(error);
      return byBullMQ(await ending.settleAlone());
    }
    if (!reply.isCompleted) {
      room?.giveBack();
      if (ending === null || reply.settled === null) return byBullMQ(result);
      return byBullMQ((await ending.settled(reply.settled)) ?? ending.returnValue);
    }
    // The next job is ours by now: what fails here must not keep it waiting.
    if (ending !== null && reply.settled !== null) {
      try {
        const rest = ending.settled(reply.settled);
        if (rest !== undefined) await rest;
      } catch (error) {
        this.options.onError(error);
      }
    }
    this.emit('completed', job, result, 'active');
    return (room === null ? undefined : await this.#open(reply.next, token, room)) as Job;
  }

  /** As BullMQ's `nextJobFromJobData`, which also looks for what such a job never is: one of a schedule. */
  #begin(next: TakenJob, token: string): Job {
    const job = this.createJob(toJobJson(next), next.id);
    job.token = token;
    this.#insides.drained = false;
    this.emit('active', job, 'waiting');
    return job;
  }

  async #open(next: TurnReply['next'], token: string, room: Reservation): Promise<Job | undefined> {
    if (next === 'again') return this.#fetch(token, room);
    if (next === 'ask' || next === 'none' || next.claim === null) room.giveBack();
    if (next === 'ask') return super.moveToActive(token, this.opts.name);
    // Nothing is delayed there, or that does not matter now.
    this.#insides.blockUntil = 0;
    if (next === 'none') return this.nextJobFromJobData(undefined, undefined, token);
    const key = `${token} ${next.id}`;
    if (next.claim !== null) this.#claims.set(key, { reservation: room, reply: next.claim });
    try {
      if (!Array.isArray(next.job)) return this.#begin(next, token);
      return await this.nextJobFromJobData(toJobJson(next), next.id, token);
    } catch (error) {
      // Data that are no JSON. BullMQ finds the job stalled when its lock ends; the room is for another until then.
      this.#claims.delete(key);
      room.giveBack();
      this.options.onError(error);
      return undefined;
    }
  }
}

/** A job that stands for others of its kind too is for BullMQ's own script. */
function toComplete(job: Job, returnValue: unknown): NonNullable<Turn['complete']> {
  const { id = '', parentKey, attemptsMade, deduplicationId } = job;
  const parent = deduplicationId === undefined ? parentKey : undefined;
  return { job: id, returnValue, attemptsMade, ...(parent === undefined ? {} : { parent }) };
}
