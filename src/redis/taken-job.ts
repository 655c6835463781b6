/**
 * The job that a turn has taken: out of the script's answer into what BullMQ makes a job of. Of a job that was never taken
 * before, only what is not known of it travels.
 */
import { type JobJson, raw2NextJobData } from 'bullmq';
import { JOB_OPTIONS } from './job-options.ts';
import { type ClaimReply, readClaim } from './replies.ts';

export interface TakenJob {
  id: string;
  /** Null when it has to be claimed again. */
  claim: ClaimReply | null;
  /** Fields as Redis has them, names and values. */
  job: string[] | FreshJob;
}

interface FreshJob {
  index: string;
  parentKey: string;
  timestamp: number;
  processedOn: number;
}

type Claim = Parameters<typeof readClaim>[0] | '';
export type RawTakenJob = [id: string, claim: Claim, job: string[]] | [id: string, claim: Claim, ...job: string[]];

/** The script's header says what stands where. */
export function readTakenJob([id, answer, job, ...words]: RawTakenJob): TakenJob {
  // A claim that failed is tried again by itself.
  const claim = answer === '' || answer[0] === 'error' ? null : readClaim(answer);
  return { id, claim, job: Array.isArray(job) ? job : readFresh([job!, ...words]) };
}

function readFresh([index, parentKey, timestamp, processedOn]: string[]): FreshJob {
  return { index: index!, parentKey: parentKey!, timestamp: Number(timestamp), processedOn: Number(processedOn) };
}

/** As BullMQ's own scripts and reading give it. Of a fresh job the priority is left out: nothing that performs it asks for it. */
export function toJobJson({ id, job }: TakenJob): JobJson {
  if (Array.isArray(job)) return raw2NextJobData([job, id, 0, 0])[0]!;
  const { index, parentKey, timestamp, processedOn } = job;
  const [dot, colon] = [id.indexOf('.'), parentKey.lastIndexOf(':')];
  // Without what such a job does not have; the type knows no job without.
  const json: Omit<JobJson, 'failedReason' | 'returnvalue'> = {
    id,
    name: id.slice(dot + 1),
    data: `{"v":1,"run":"${id.slice(0, dot)}","i":${index}}`,
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
