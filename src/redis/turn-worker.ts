/**
 * A BullMQ worker for tasks, whose jobs end and begin by turns: the end of one job, the next one and its claim are one call.
 * What turns leave to BullMQ (a queue with limits, jobs that are due, a job that is not ours) goes by BullMQ's own scripts.
 */
import { type Job, raw2NextJobData, Worker, type WorkerOptions } from 'bullmq';
import type { ClaimReply, SettleReply } from './replies.ts';
import type { TurnReply, Turns } from './turns.ts';

/** A worker that tells when it renews its locks. */
export class RenewingWorker extends Worker {
  onRenew: (jobIds: string[]) => void = () => undefined;

  override async extendJobLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    this.onRenew(jobIds);
    return super.extendJobLocks(jobIds, tokens, duration);
  }
}

/** Room in this process for one task more; a job is claimed when it is taken only with it. */
export interface Reservation {
  /** For the claim. */
  token: string;
  /** Monotonic ms, before the claim was sent. */
  at: number;
  /** When no task came of it. */
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
    readonly settle: readonly (string | number)[],
    /** The job's return value when the task completes. */
    readonly returnValue: unknown,
    /** What is left to do after; returns the job's return value or throws what tells BullMQ where the job goes. */
    readonly settled: (reply: SettleReply) => Promise<unknown>,
    /** Settles by itself, where the call was refused. As `settled`. */
    readonly settleAlone: () => Promise<unknown>,
  ) {}
}

export interface TurnWorkerOptions {
  queue: string;
  turns: Turns;
  worker: WorkerOptions;
  /** Null when there is no room. */
  reserve(): Reservation | null;
  perform(job: Job, token: string, claimed: Claimed | undefined): Promise<unknown>;
  onError(error: unknown): void;
}

export class TurnWorker extends RenewingWorker {
  readonly #claims = new Map<string, Claimed>();

  constructor(private readonly options: TurnWorkerOptions) {
    super(options.queue, (job, token) => this.#perform(job, token ?? ''), { ...options.worker, autorun: false });
    void this.run().catch(options.onError);
  }

  #perform(job: Job, token: string): Promise<unknown> {
    const claimed = this.#claims.get(token);
    this.#claims.delete(token);
    return this.options.perform(job, token, claimed);
  }

  protected override async moveToActive(token: string): Promise<Job> {
    const reservation = this.options.reserve();
    try {
      const { queue, turns } = this.options;
      const { next } = await turns.call({ queue, lock: token, next: toNext(reservation) });
      return (await this.#take(next, token, reservation)) as Job;
    } catch (error) {
      reservation?.giveBack();
      throw error;
    }
  }

  protected override async handleCompleted(
    result: unknown,
    job: Job,
    token: string,
    fetchNext: () => boolean = () => true,
    ...rest: never[]
  ): Promise<Job> {
    const byBullMQ = (value: unknown) => super.handleCompleted(value, job, token, fetchNext, ...rest);
    const ending = result instanceof Ending ? result : null;
    const wantsNext = fetchNext() && !this.closing && !this.paused;
    const reservation = wantsNext ? this.options.reserve() : null;
    let reply: TurnReply;
    try {
      reply = await this.options.turns.call({
        queue: this.options.queue,
        lock: token,
        complete: { job: job.id ?? '', returnValue: ending === null ? result : ending.returnValue },
        ...(wantsNext ? { next: toNext(reservation) } : {}),
        ...(ending === null ? {} : { settle: ending.settle }),
      });
    } catch (error) {
      reservation?.giveBack();
      if (ending === null) return byBullMQ(result);
      this.options.onError(error);
      return byBullMQ(await ending.settleAlone());
    }
    if (!reply.isCompleted) {
      reservation?.giveBack();
      return byBullMQ(ending === null || reply.settled === null ? result : await ending.settled(reply.settled));
    }
    // The next job is ours by now: what fails here must not keep it waiting.
    if (ending !== null && reply.settled !== null) await ending.settled(reply.settled).catch(this.options.onError);
    this.emit('completed', job, result, 'active');
    return (wantsNext ? await this.#take(reply.next, token, reservation) : undefined) as Job;
  }

  async #take(next: TurnReply['next'], token: string, reservation: Reservation | null): Promise<Job | undefined> {
    if (next === 'ask' || next === 'none' || next.claim === null) reservation?.giveBack();
    if (next === 'ask') return super.moveToActive(token, this.opts.name);
    // Nothing is delayed there, or that does not matter now.
    (this as unknown as { blockUntil: number }).blockUntil = 0;
    if (next === 'none') return this.nextJobFromJobData(undefined, undefined, token);
    if (reservation !== null && next.claim !== null) this.#claims.set(token, { reservation, reply: next.claim });
    const [json] = raw2NextJobData([next.fields, next.id, 0, 0]);
    return this.nextJobFromJobData(json, next.id, token);
  }
}

function toNext(reservation: Reservation | null): { token: string; claims: boolean } {
  return reservation === null ? { token: '-', claims: false } : { token: reservation.token, claims: true };
}
