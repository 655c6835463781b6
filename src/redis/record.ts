/**
 * The run record: typed calls of the scripts that change it, and the reads. The only way anything in planq learns or
 * changes what is true of a run. States travel as plain words here; `flows/run-view.ts` gives them their types.
 */
import type { Redis } from 'ioredis';
import { type Keys, NODE_FIELDS } from './keys.ts';
import { execute } from './pipeline.ts';
import {
  type CancelReply,
  type ClaimReply,
  type Grant,
  type OutboxEntry,
  type RetryReply,
  readCancel,
  readClaim,
  readGrants,
  readOutbox,
  readRetry,
  readSettle,
  type SettleReply,
} from './replies.ts';
import { RunReader } from './run-reader.ts';
import type { Scripts } from './scripts.ts';
import { createTurns, type Turns, type TurnsOptions } from './turns.ts';

export interface StagedRun {
  run: string;
  /** Fields of the run's hash besides those the submit script writes. */
  meta: Record<string, string | number>;
  plan: string;
  /** One per node. */
  nodes: string[];
  deps: string[];
  needs: string[];
  open: number[];
  /** One per task. */
  defs: string[];
  roots: number[];
  /** Nodes that wait for a person. */
  approvals: number[];
  hash: string;
  key: string | null;
  workspace: string;
  /** Resource → capacity, used where none is known yet. */
  caps: Record<string, number>;
  masters: string[];
}

export type SubmitReply =
  | { kind: 'submitted'; outbox: OutboxEntry[] }
  | { kind: 'exists'; run: string; hash: string }
  | { kind: 'workspace'; run: string };

/** What a run job or a stage job is to do; see the script. */
export type ConcludeReply = { kind: 'done' | 'report' | 'wait'; state: string } | { kind: 'gone' };

/** What the worker knows of the job that it wants to perform. */
export interface ClaimFacts {
  /** The job that asks, as `<queue>/<id>`; another than the task's own is `foreign`. */
  job?: string;
  /** Nothing else runs in this worker, nor will until it ends. */
  isAlone?: boolean;
  /** Attempts that BullMQ has counted. */
  attemptsMade?: number;
  /** A person moved it out of BullMQ's failed jobs. */
  isPressed?: boolean;
}

export interface SettleInput {
  run: string;
  index: number;
  token: string;
  kind: 'completed' | 'retryable' | 'failed' | 'snoozed' | 'cancelled';
  reason?: string;
  exitCode?: number;
  values?: string;
  delayMs?: number;
  verified?: boolean;
  /** Parent of the job that settles; null without one. */
  parentId?: string | null;
  /** What the claim gave. Only for speed. */
  hint?: string;
}

export type LeaseAnswer = 'ok' | 'cancel' | 'lost';

export interface Holding {
  run: string;
  index: number;
  token: string;
}

/** @returns the arguments of the settle script */
export function settleArguments(input: SettleInput): string[] {
  return [
    input.run,
    String(input.index),
    input.token,
    input.kind,
    input.reason ?? '',
    String(input.exitCode ?? ''),
    input.values ?? '',
    String(Math.round(input.delayMs ?? 0)),
    input.verified === true ? '1' : '',
    input.parentId ?? '',
    input.hint ?? '',
  ];
}

const STAGING_TTL_SECONDS = 3600;
const CHUNK = 500;

/** Calls of the scripts and, inherited, the reads. Throws what Redis answers with: a full server, a lost connection. */
export class RunRecord extends RunReader {
  constructor(
    redis: Redis,
    keys: Keys,
    private readonly scripts: Scripts,
  ) {
    super(redis, keys);
  }

  /**
   * Stores a run and makes it visible in one step; idempotent under its key. Until the last step nobody sees it, and
   * what a dead submitter left behind expires.
   */
  async submit(staged: StagedRun): Promise<SubmitReply> {
    await this.stage(staged);
    const caps = Object.entries(staged.caps).flat();
    const reply = await this.scripts.call(
      'submit',
      staged.run,
      staged.key ?? '',
      staged.hash,
      staged.workspace,
      staged.roots.join(','),
      ...caps,
    );
    if (reply[0] === 'exists') return { kind: 'exists', run: String(reply[1]), hash: String(reply[2]) };
    if (reply[0] === 'workspace') return { kind: 'workspace', run: String(reply[1]) };
    return { kind: 'submitted', outbox: readOutbox(reply, 1) };
  }

  private async stage(staged: StagedRun): Promise<void> {
    const { run } = staged;
    const first = this.redis.pipeline();
    first.hset(this.keys.run(run), staged.meta);
    first.expire(this.keys.run(run), STAGING_TTL_SECONDS);
    first.set(this.keys.run(run, 'plan'), staged.plan, 'EX', STAGING_TTL_SECONDS);
    if (staged.approvals.length > 0)
      first
        .sadd(this.keys.run(run, 'approvals'), ...staged.approvals)
        .expire(this.keys.run(run, 'approvals'), STAGING_TTL_SECONDS);
    if (staged.masters.length > 0) first.sadd(this.keys.masters, ...staged.masters);
    await execute(first);
    for (const part of ['nodes', 'deps', 'open', 'defs'] as const)
      await this.stageList(this.keys.run(run), staged[part], NODE_FIELDS[part]);
    await this.stageList(this.keys.run(run, 'needs'), staged.needs);
  }

  /** Chunked, so that a plan of 10,000 tasks keeps nobody else waiting. */
  private async stageList(key: string, values: readonly (string | number)[], prefix = ''): Promise<void> {
    for (let from = 0; from < values.length; from += CHUNK) {
      const pipeline = this.redis.pipeline();
      const fields: (string | number)[] = [];
      values.slice(from, from + CHUNK).forEach((value, offset) => {
        if (value !== '' && value !== 0) fields.push(`${prefix}${from + offset}`, value);
      });
      if (fields.length > 0) pipeline.hset(key, ...(fields as [string, string]));
      pipeline.expire(key, STAGING_TTL_SECONDS);
      await execute(pipeline);
    }
  }

  async claim(holding: Holding, worker: string, leaseMs: number, facts: ClaimFacts = {}): Promise<ClaimReply> {
    const reply = await this.scripts.callTogether(
      'claim',
      holding.run,
      holding.index,
      holding.token,
      worker,
      leaseMs,
      facts.isAlone === true ? '1' : '',
      facts.attemptsMade ?? 0,
      facts.isPressed === true ? '1' : '',
      facts.job ?? '',
    );
    return readClaim(reply);
  }

  async settle(input: SettleInput): Promise<SettleReply> {
    return readSettle(await this.scripts.callTogether('settle', ...settleArguments(input)));
  }

  /** For a worker process: what `claim` and `settle` do, together with the jobs. */
  openTurns(options: Omit<TurnsOptions, 'scripts'>): Turns {
    return createTurns({ ...options, scripts: this.scripts });
  }

  /** @param group of a stage job; null of a run job */
  async conclude(run: string, group: number | null): Promise<ConcludeReply> {
    const [kind, state] = await this.scripts.callTogether('conclude', run, group ?? '');
    return kind === 'gone' ? { kind: 'gone' } : { kind: kind as 'done', state: String(state) };
  }

  /** One answer per holding, in order. */
  async heartbeat(holdings: readonly Holding[], leaseMs: number): Promise<LeaseAnswer[]> {
    if (holdings.length === 0) return [];
    const args = holdings.flatMap((holding) => [holding.run, holding.index, holding.token]);
    return (await this.scripts.call('heartbeat', leaseMs, ...args)) as LeaseAnswer[];
  }

  /** False when the attempt no longer holds its task. */
  async report(
    holding: Holding,
    kind: 'progress' | 'warning' | 'spawned',
    value: number | undefined,
    message: string,
  ): Promise<boolean> {
    const reply: unknown = await this.scripts.call(
      'report',
      holding.run,
      holding.index,
      holding.token,
      kind,
      value ?? '',
      message,
    );
    return reply === 1;
  }

  /** @param withUndo ask for the undo too; then also of a run that has ended */
  async cancel(run: string, withUndo = false): Promise<CancelReply> {
    return readCancel(await this.scripts.call('cancel', run, withUndo ? '1' : ''));
  }

  /** @param isFrom the task at `index` and all that need it, whatever became of them; else only what failed */
  async retry(run: string, index: number | null, isFrom = false): Promise<RetryReply> {
    return readRetry(await this.scripts.call('retry', run, index ?? '', isFrom ? 'from' : ''));
  }

  /** Ended runs that have waited for their report for longer than `ageMs`, by this machine's clock. */
  async findUnfinalised(now: number, ageMs: number): Promise<string[]> {
    return this.redis.zrangebyscore(this.keys.ended, '-inf', now - ageMs, 'LIMIT', 0, 10);
  }

  /** The report is written. */
  async markFinalised(run: string): Promise<void> {
    await this.scripts.call('finalised', run);
  }

  /** Runs whose undo is wanted, the longest wanted first. */
  async findUndoWanted(count: number): Promise<string[]> {
    return this.redis.zrange(this.keys.undo, '0', String(count - 1));
  }

  async isUndoWanted(run: string): Promise<boolean> {
    return (await this.redis.zscore(this.keys.undo, run)) !== null;
  }

  /** Nothing that completed has an undo. */
  async waiveUndo(run: string): Promise<void> {
    await this.scripts.call('waive', run);
  }

  async sweep(outboxAgeMs: number): Promise<{ grants: Grant[]; outbox: Map<string, OutboxEntry[]> }> {
    const reply = await this.scripts.call('sweep', outboxAgeMs, 100);
    const grantCount = Number(reply[0]);
    const outbox = new Map<string, OutboxEntry[]>();
    let at = 1 + grantCount;
    while (at < reply.length) {
      const length = Number(reply[at + 1]);
      outbox.set(String(reply[at]), readOutbox(reply.slice(at + 2, at + 2 + length), 0));
      at += 2 + length;
    }
    return { grants: readGrants(reply, 1, grantCount), outbox };
  }

  /**
   * Confirms that these entries' jobs are in BullMQ and takes them out of the outbox.
   * @returns the indexes whose job is not there
   */
  async confirmAdded(run: string, jobs: readonly { index: number; key: string }[]): Promise<number[]> {
    const missing: number[] = [];
    for (let from = 0; from < jobs.length; from += CHUNK) {
      const args = jobs.slice(from, from + CHUNK).flatMap((job) => [job.index, job.key]);
      missing.push(...(await this.scripts.call('added', run, ...args)).map(Number));
    }
    return missing;
  }
}
