/**
 * The job that a turn has taken, as the script tells it: of one that was never taken before, only what is not known of it.
 */
import { type ClaimReply, readClaim } from './replies.ts';

export interface TakenJob {
  id: string;
  /** Null when it has to be claimed again. */
  claim: ClaimReply | null;
  /** Fields as Redis has them, names and values. */
  job: string[] | FreshJob;
}

export interface FreshJob {
  index: string;
  parentKey: string;
  timestamp: number;
  processedOn: number;
}

type Claim = Parameters<typeof readClaim>[0] | '';
/** A job without any field is told as an empty object: Lua does not know an empty list from one. */
export type RawTakenJob =
  | [id: string, claim: Claim, job: string[] | object]
  | [id: string, claim: Claim, ...job: [string, string, string, string]];

/** The script's header says what stands where. */
export function readTakenJob([id, answer, ...job]: RawTakenJob): TakenJob {
  // A claim that failed is tried again by itself.
  const claim = answer === '' || answer[0] === 'error' ? null : readClaim(answer);
  const [first] = job;
  if (typeof first === 'string') return { id, claim, job: readFresh(job as string[]) };
  return { id, claim, job: Array.isArray(first) ? first : [] };
}

function readFresh([index, parentKey, timestamp, processedOn]: string[]): FreshJob {
  return { index: index!, parentKey: parentKey!, timestamp: Number(timestamp), processedOn: Number(processedOn) };
}
