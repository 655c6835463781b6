/**
 * A task's job whose claim was refused: ends it or puts it aside, as the reason wants.
 */
import type { JobData } from '../flows/job-data.ts';
import type { Job } from '../redis/queues.ts';
import type { ClaimReply } from '../redis/replies.ts';
import type { WorkerContext } from './context.ts';
import { enqueueReady } from './let-go.ts';
import { endJob, refuseJob, snoozeJob } from './settle.ts';

/** A parked job sleeps in BullMQ for so long unless it is granted what it waits for; the sweeper would find it sooner. */
const PARK_MS = 3_600_000;

/** @returns the job's return value; throws what tells BullMQ where the job goes */
export async function declineJob(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
  claim: Exclude<ClaimReply, { kind: 'run' | 'suspect' | 'again' }>,
): Promise<unknown> {
  switch (claim.kind) {
    case 'settled':
      await enqueueReady(worker, job, data.run, claim.outbox);
      return endJob(worker, job, token, { state: claim.state, delayMs: 0, reason: `task is ${claim.state}` });
    case 'parked':
      return parkJob(worker, job, token, data);
    case 'later':
      return snoozeJob(worker, job, token, claim.ms);
    case 'final':
      return { state: claim.state };
    case 'gone':
      return refuseJob(worker, job, 'no record knows this job');
    case 'foreign':
      return refuseJob(worker, job, 'the task that it names has another job');
  }
}

/** Registered as a waiter already; moved aside; then one more look, because the grant may have come in between. */
async function parkJob(
  worker: WorkerContext,
  job: Job,
  token: string,
  data: JobData & { kind: 'task' },
): Promise<never> {
  try {
    return await snoozeJob(worker, job, token, PARK_MS);
  } finally {
    if (await worker.store.record.isParkedAndGranted(data.run, data.index)) await job.promote().catch(() => undefined);
  }
}
