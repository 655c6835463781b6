/**
 * A BullMQ worker whose locks are renewed as long as their jobs are performed, and no longer: neither for a job that it has put
 * aside, nor only until the first of two performances of one job ends.
 */
import { Job, type MoveToWaitingChildrenOpts, Worker } from 'bullmq';

/**
 * A job that its worker performs. Redis takes its lock when it moves, and what is left to do then may take a while: a lock that
 * nobody has any more is none to renew. BullMQ does the same for a job that ends.
 */
class HeldJob extends Job {
  override moveToDelayed(timestamp: number, token?: string): Promise<void> {
    this.#letGo();
    return super.moveToDelayed(timestamp, token);
  }

  override moveToWait(token?: string): ReturnType<Job['moveToWait']> {
    this.#letGo();
    return super.moveToWait(token);
  }

  /** Where there is nothing to wait for the job has to move elsewhere, before its lock ends. */
  override moveToWaitingChildren(token: string, options?: MoveToWaitingChildrenOpts): Promise<boolean> {
    this.#letGo();
    return super.moveToWaitingChildren(token, options);
  }

  #letGo(): void {
    (this.queue as unknown as RenewingWorker).letGo(this);
  }
}

/** A worker that tells when it renews its locks, and renews those of all jobs that it performs and no others. */
export class RenewingWorker extends Worker {
  onRenew: (jobIds: string[]) => void = () => undefined;
  readonly #performed = new Map<string, Job>();

  protected override get Job(): typeof Job {
    return HeldJob as typeof Job;
  }

  letGo(job: Job): void {
    const { id = '' } = job;
    if (this.#performed.get(id) === job) this.lockManager.untrackJob(id);
  }

  /**
   * A job that has moved may have come back here before all is done that its move led to. BullMQ knows jobs by their ids
   * alone: when the first performance ends, it would renew nothing for the second.
   */
  override async processJob(job: Job, token: string, fetchNext?: () => boolean): ReturnType<Worker['processJob']> {
    const { id = '' } = job;
    this.#performed.set(id, job);
    try {
      return await super.processJob(job, token, fetchNext);
    } finally {
      const latest = this.#performed.get(id);
      if (latest === job) this.#performed.delete(id);
      else if (latest?.token !== undefined) this.lockManager.trackJob(id, latest.token, latest.processedOn ?? 0);
    }
  }

  override async extendJobLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    this.onRenew(jobIds);
    return super.extendJobLocks(jobIds, tokens, duration);
  }
}
