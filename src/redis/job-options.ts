/** Kept apart from BullMQ's objects, so that whoever only says what a job is like does not load them. */
import type { JobsOptions } from 'bullmq';

/** What every job carries besides its id; kept small. The command comes from the record. */
export const JOB_OPTIONS: JobsOptions = { attempts: 1000, backoff: { type: 'fixed', delay: 1000 } };
