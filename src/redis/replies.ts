/**
 * What the scripts answer: flat lists, read into values here.
 */
import type { ScriptReply } from './call-together.ts';

/** A task that became ready and must be added to BullMQ, with its node's JSON. */
export interface OutboxEntry {
  index: number;
  node: string;
}

export interface SettleReply {
  status: 'settled' | 'already' | 'superseded' | 'gone';
  state: string;
  runState: string;
  delayMs: number;
  blocked: number[];
  grants: Grant[];
  outbox: OutboxEntry[];
}

/** A waiter that got its leases: its job must be promoted. */
export interface Grant {
  run: string;
  index: number;
  node: string;
}

/** Pairs of index and node JSON. @param from where in the reply they begin */
export function readOutbox(reply: ScriptReply, from: number): OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  for (let at = from; at + 1 < reply.length; at += 2)
    entries.push({ index: Number(reply[at]), node: String(reply[at + 1]) });
  return entries;
}

/** @param words two per grant: `run|index`, node JSON */
export function readGrants(reply: ScriptReply, from: number, words: number): Grant[] {
  const grants: Grant[] = [];
  for (let at = from; at + 1 < from + words; at += 2) {
    const [run = '', index = ''] = String(reply[at]).split('|');
    grants.push({ run, index: Number(index), node: String(reply[at + 1]) });
  }
  return grants;
}

/** The reply of the settle script; its order stands in that script's header, and when it is only a text. */
export function readSettle(reply: ScriptReply | string): SettleReply {
  if (typeof reply === 'string')
    return { status: 'settled', state: 'completed', runState: reply, delayMs: 0, blocked: [], grants: [], outbox: [] };
  const blockedCount = Number(reply[4]);
  const grantsAt = 5 + blockedCount;
  const grantCount = Number(reply[grantsAt]);
  return {
    status: reply[0] as SettleReply['status'],
    state: String(reply[1]),
    runState: String(reply[2]),
    delayMs: Number(reply[3]),
    blocked: reply.slice(5, grantsAt).map(Number),
    grants: readGrants(reply, grantsAt + 1, grantCount),
    outbox: readOutbox(reply, grantsAt + 1 + grantCount),
  };
}

export interface CancelReply {
  /** The state it had; null when there is no such run. */
  state: string | null;
  running: number;
  /** Whether its undo was asked for now or before, or cannot be; null when this call did not ask. */
  undo: 'asked' | 'already' | 'workspace' | null;
  /** With `already` the undo run, as far as there is one; with `workspace` the run that uses it now. */
  other: string | null;
  grants: Grant[];
  queued: number[];
}

/** The reply of the cancel script; its order stands in that script's header. */
export function readCancel(reply: ScriptReply): CancelReply {
  const words = Number(reply[4]);
  return {
    state: reply[0] === 'gone' ? null : String(reply[0]),
    running: Number(reply[1]),
    undo: (reply[2] || null) as CancelReply['undo'],
    other: (reply[3] || null) as string | null,
    grants: readGrants(reply, 5, words),
    queued: reply.slice(5 + words).map(Number),
  };
}

export interface RetryReply {
  status: 'retried' | 'gone' | 'nothing' | 'cancelled' | 'undone' | 'workspace' | 'running';
  /** Tasks that run again; with `running`, those that forbid it. */
  tasks: number[];
  /** All tasks that were made pending, whatever had become of them. Their jobs have ended or are not due. */
  reset: number[];
  outbox: OutboxEntry[];
  /** With `workspace`: the run that uses it. */
  holder: string | null;
}

/** The reply of the retry script; its order stands in that script's header. */
export function readRetry(reply: ScriptReply): RetryReply {
  const status = reply[0] as RetryReply['status'];
  const empty = { status, tasks: [], reset: [], outbox: [], holder: null };
  if (status === 'workspace') return { ...empty, holder: String(reply[2]) };
  const resetAt = 2 + Number(reply[1]);
  const tasks = reply.slice(2, resetAt).map(Number);
  if (status !== 'retried') return { ...empty, tasks };
  const outboxAt = resetAt + 1 + Number(reply[resetAt]);
  return {
    ...empty,
    tasks,
    reset: reply.slice(resetAt + 1, outboxAt).map(Number),
    outbox: readOutbox(reply, outboxAt),
  };
}

export type ClaimReply =
  | {
      kind: 'run';
      def: string;
      attempt: number;
      context: string;
      /** Attempts used since it was submitted or last retried. */
      used: number;
      /** For `settle`: what it may look at together with the task. */
      hint: string;
    }
  | { kind: 'settled'; state: string; outbox: OutboxEntry[] }
  | { kind: 'parked'; reason: string }
  | { kind: 'later'; ms: number }
  | { kind: 'suspect'; crashes: number }
  | { kind: 'again' }
  | { kind: 'final'; state: string }
  | { kind: 'gone' }
  | { kind: 'foreign' };

/** One answer of the claim script; its header says what each means. */
export function readClaim(reply: ScriptReply): ClaimReply {
  switch (reply[0]) {
    case 'run':
      return {
        kind: 'run',
        def: String(reply[1]),
        attempt: Number(reply[2]),
        context: String(reply[3]),
        used: Number(reply[4]),
        hint: String(reply[5]),
      };
    case 'settled':
      return { kind: 'settled', state: String(reply[1]), outbox: readOutbox(reply, 2) };
    case 'parked':
      return { kind: 'parked', reason: String(reply[1]) };
    case 'later':
      return { kind: 'later', ms: Number(reply[1]) };
    case 'suspect':
      return { kind: 'suspect', crashes: Number(reply[1]) };
    case 'again':
      return { kind: 'again' };
    case 'final':
      return { kind: 'final', state: String(reply[1]) };
    case 'foreign':
      return { kind: 'foreign' };
    default:
      return { kind: 'gone' };
  }
}
