/**
 * The run record: typed calls of the scripts that change it, and the reads. The only way anything in planq learns or
 * changes what is true of a run. States travel as plain words here; `flows/run-view.ts` gives them their types.
 */
import type { ChainableCommander, Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import type { ScriptReply, Scripts } from './scripts.ts';

/** A task that became ready and must be added to BullMQ, with its node's JSON. */
export interface OutboxEntry {
  index: number;
  node: string;
}

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

export type ClaimReply =
  | {
      kind: 'run';
      def: string;
      attempt: number;
      crashes: number;
      context: string;
    }
  | { kind: 'settled'; state: string; outbox: OutboxEntry[] }
  | { kind: 'parked'; reason: string }
  | { kind: 'later'; ms: number }
  | { kind: 'final'; state: string }
  | { kind: 'gone' };

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

export type LeaseAnswer = 'ok' | 'cancel' | 'lost';

export interface Holding {
  run: string;
  index: number;
  token: string;
}

const STAGING_TTL_SECONDS = 3600;
const CHUNK = 500;

export class RunRecord {
  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly scripts: Scripts,
  ) {}

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
    if (staged.masters.length > 0) first.sadd(this.keys.masters, ...staged.masters);
    await execute(first);
    const parts = ['nodes', 'deps', 'needs', 'defs'] as const;
    for (const part of parts) await this.stageList(this.keys.run(run, part), staged[part]);
    await this.stageList(this.keys.run(run, 'open'), staged.open);
  }

  /** Chunked, so that a plan of 10,000 tasks keeps nobody else waiting. */
  private async stageList(key: string, values: readonly (string | number)[]): Promise<void> {
    for (let from = 0; from < values.length; from += CHUNK) {
      const pipeline = this.redis.pipeline();
      const fields: (string | number)[] = [];
      values.slice(from, from + CHUNK).forEach((value, offset) => {
        if (value !== '') fields.push(from + offset, value);
      });
      if (fields.length > 0) pipeline.hset(key, ...(fields as [string, string]));
      pipeline.expire(key, STAGING_TTL_SECONDS);
      await execute(pipeline);
    }
  }

  async claim(holding: Holding, worker: string, leaseMs: number): Promise<ClaimReply> {
    const reply = await this.scripts.call('claim', holding.run, holding.index, holding.token, worker, leaseMs);
    switch (reply[0]) {
      case 'run':
        return {
          kind: 'run',
          def: String(reply[1]),
          attempt: Number(reply[2]),
          crashes: Number(reply[3]),
          context: String(reply[4]),
        };
      case 'settled':
        return { kind: 'settled', state: String(reply[1]), outbox: readOutbox(reply, 2) };
      case 'parked':
        return { kind: 'parked', reason: String(reply[1]) };
      case 'later':
        return { kind: 'later', ms: Number(reply[1]) };
      case 'final':
        return { kind: 'final', state: String(reply[1]) };
      default:
        return { kind: 'gone' };
    }
  }

  async settle(input: SettleInput): Promise<SettleReply> {
    const reply = await this.scripts.call(
      'settle',
      input.run,
      input.index,
      input.token,
      input.kind,
      input.reason ?? '',
      input.exitCode ?? '',
      input.values ?? '',
      Math.round(input.delayMs ?? 0),
      input.verified === true ? '1' : '',
    );
    return readSettle(reply);
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

  /** @returns the state it had, or null when there is no such run */
  async cancel(run: string): Promise<{ state: string | null; running: number; grants: Grant[]; queued: number[] }> {
    const reply = await this.scripts.call('cancel', run);
    const state = reply[0] === 'gone' ? null : String(reply[0]);
    const grantWords = Number(reply[2]);
    const queued = reply.slice(3 + grantWords).map(Number);
    return { state, running: Number(reply[1]), grants: readGrants(reply, 3, grantWords), queued };
  }

  async retry(
    run: string,
    index: number | null,
  ): Promise<{
    status: 'retried' | 'gone' | 'nothing' | 'cancelled' | 'workspace';
    retried: number[];
    outbox: OutboxEntry[];
    holder?: string;
  }> {
    const reply = await this.scripts.call('retry', run, index ?? '');
    const status = reply[0] as 'retried' | 'gone' | 'nothing' | 'cancelled' | 'workspace';
    if (status === 'workspace') return { status, retried: [], outbox: [], holder: String(reply[2]) };
    const count = Number(reply[1]);
    return { status, retried: reply.slice(2, 2 + count).map(Number), outbox: readOutbox(reply, 2 + count) };
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

  /** The run's own hash, or null. A run that is only staged is not there yet. */
  async readMeta(run: string): Promise<Record<string, string> | null> {
    const meta = await this.redis.hgetall(this.keys.run(run));
    return meta.createdAt === undefined ? null : meta;
  }

  async readTasks(run: string): Promise<Record<string, string>> {
    return this.redis.hgetall(this.keys.run(run, 'tasks'));
  }

  async readTask(run: string, index: number): Promise<string | null> {
    return this.redis.hget(this.keys.run(run, 'tasks'), String(index));
  }

  async readPlan(run: string): Promise<string | null> {
    return this.redis.get(this.keys.run(run, 'plan'));
  }

  /** Definitions of the tasks asked for, or of all, in order of index. */
  async readDefs(run: string, indexes: readonly number[]): Promise<(string | null)[]> {
    return this.readFields(run, 'defs', indexes);
  }

  async readFields(
    run: string,
    part: 'defs' | 'nodes' | 'out' | 'tasks' | 'needs' | 'deps',
    indexes: readonly number[],
  ): Promise<(string | null)[]> {
    const values: (string | null)[] = [];
    for (let from = 0; from < indexes.length; from += CHUNK) {
      values.push(
        ...(await this.redis.hmget(this.keys.run(run, part), ...indexes.slice(from, from + CHUNK).map(String))),
      );
    }
    return values;
  }

  /** Newest first. */
  async listRuns(limit: number): Promise<string[]> {
    return this.redis.zrevrange(this.keys.runs, 0, limit - 1);
  }

  async isParkedAndGranted(run: string, index: number): Promise<boolean> {
    const text = await this.readTask(run, index);
    return text !== null && (JSON.parse(text) as { g?: number }).g === 1;
  }

  /** Keeps the last lines of a task's output for those who cannot read its file. */
  async pushTail(run: string, index: number, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const key = this.keys.tail(run, index);
    await execute(
      this.redis
        .pipeline()
        .rpush(key, ...lines)
        .ltrim(key, -TAIL_LINES, -1)
        .expire(key, TAIL_TTL_SECONDS),
    );
  }

  async readTail(run: string, index: number): Promise<string[]> {
    return this.redis.lrange(this.keys.tail(run, index), 0, -1);
  }
}

const TAIL_LINES = 200;
const TAIL_TTL_SECONDS = 7 * 24 * 3600;

/** A pipeline whose first error is thrown; ioredis hands errors over as values. */
async function execute(pipeline: ChainableCommander): Promise<void> {
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}

function readOutbox(reply: ScriptReply, from: number): OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  for (let at = from; at + 1 < reply.length; at += 2)
    entries.push({ index: Number(reply[at]), node: String(reply[at + 1]) });
  return entries;
}

/** @param words two per grant: `run|index`, node JSON */
function readGrants(reply: ScriptReply, from: number, words: number): Grant[] {
  const grants: Grant[] = [];
  for (let at = from; at + 1 < from + words; at += 2) {
    const [run = '', index = ''] = String(reply[at]).split('|');
    grants.push({ run, index: Number(index), node: String(reply[at + 1]) });
  }
  return grants;
}

function readSettle(reply: ScriptReply): SettleReply {
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
