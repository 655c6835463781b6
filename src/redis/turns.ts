/**
 * A worker's turns: what a task came to, the end of its job, the next job and its claim in one call of the script `advance`.
 */
import { Lanes } from './lanes.ts';
import { readSettle, type SettleReply } from './replies.ts';
import type { Scripts } from './scripts.ts';
import { type RawTakenJob, readTakenJob, type TakenJob } from './taken-job.ts';

/** As in the script's header. */
export interface Turn {
  queue: string;
  /** To take a job: the lock that it gets. To complete one as well: the lock that it has. */
  lock: string;
  /** `parent` (its key) and `attemptsMade` as the job had them when it was taken; without a parent BullMQ has to complete it. */
  complete?: { job: string; returnValue: unknown; parent?: string; attemptsMade: number };
  /** Take the next job and claim its task with this token. */
  next?: string;
  /** The arguments of the settle script; before the job is completed, which it is only when the task is. */
  settle?: readonly string[];
}

export interface TurnReply {
  settled: SettleReply | null;
  isCompleted: boolean;
  /**
   * `ask`: BullMQ's own script must look; `again`: there may be more; `none`: there is nothing to do, or nothing was asked
   * for.
   */
  next: 'ask' | 'again' | 'none' | TakenJob;
}

export interface TurnsOptions {
  scripts: Scripts;
  workerId: string;
  leaseMs: number;
  lockMs: number;
  randomToken(): string;
}

/** One lane is looked at here while Redis works on the other. */
const LANES = 2;
const LEAST = 4;
const MOST = 16;
export type Turns = Lanes<Turn, TurnReply>;

/** @returns turns of one worker process; each call rejects with what Redis answers with, and then nothing of it was done */
export function createTurns({ scripts, workerId, leaseMs, lockMs, randomToken }: TurnsOptions): Turns {
  return new Lanes({
    lanes: LANES,
    least: LEAST,
    most: MOST,
    send: async (lane, turns) => {
      const calls = JSON.stringify(turns.map(toCall));
      const reply: unknown = await scripts.call('advance', randomToken(), lane, workerId, leaseMs, lockMs, calls);
      return (JSON.parse(String(reply)) as RawReply[]).map(readTurn);
    },
  });
}

/** As in the script's header. */
function toCall({ queue, lock, complete, next, settle = [] }: Turn): (string | number)[] {
  if (complete === undefined) return [queue, '', lock, '', next ?? '', '', 0, ...settle];
  const { job, returnValue, parent, attemptsMade } = complete;
  return [queue, job, lock, JSON.stringify(returnValue ?? null), next ?? '', parent ?? '', attemptsMade, ...settle];
}

type ScriptAnswer = (string | number | null)[];
/** `settled` is empty when nothing was to be settled. */
type RawReply = [settled: ScriptAnswer | string, second: string, next: string | RawTakenJob];

function readTurn([settled, second, next]: RawReply): TurnReply | Error {
  if (settled === 'error') return new Error(second);
  return {
    settled: settled === '' ? null : readSettle(settled),
    isCompleted: second === '1',
    next: typeof next === 'string' ? toWord(next) : readTakenJob(next),
  };
}

function toWord(next: string): 'ask' | 'again' | 'none' {
  return next === 'ask' || next === 'again' ? next : 'none';
}
