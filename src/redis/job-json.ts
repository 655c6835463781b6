/**
 * The job that a turn has taken, as BullMQ makes a job of it. Only workers need this, and BullMQ.
 */
import { type JobJson, raw2NextJobData } from 'bullmq';
import { JOB_OPTIONS } from './job-options.ts';
import type { TakenJob } from './taken-job.ts';

/** As BullMQ's own scripts and reading give it. Of a fresh job the priority is left out: nothing that performs it asks for it. */
export function toJobJson({ id, job }: TakenJob): JobJson {
  if (Array.isArray(job)) return raw2NextJobData([job, id, 0, 0])[0]!;
  const { index, parentKey, timestamp, processedOn } = job;
  const [dot, colon] = [id.indexOf('.'), parentKey.lastIndexOf(':')];
  // Without what such a job does not have; the type knows no job without.
  const json: Omit<JobJson, 'failedReason' | 'returnvalue'> = {
    id,
    name: id.slice(dot + 1),
    data: JSON.stringify({ v: 1, run: id.slice(0, dot), i: Number(index) }),
    opts: JOB_OPTIONS,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 1,
    stalledCounter: 0,
    timestamp,
    processedOn,
    parentKey,
    parent: { id: parentKey.slice(colon + 1), queueKey: parentKey.slice(0, colon) },
  };
  return json as JobJson;
}
