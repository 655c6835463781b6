/**
 * Reads of the run record. Never a whole set of unknown size in one command, except a run's own tasks.
 */
import type { Redis } from 'ioredis';
import { type Keys, NODE_FIELDS, type NodePart, RUN_FIELDS } from './keys.ts';
import { execute } from './pipeline.ts';
import { readOwnUse, readStatus } from './run-status.ts';

const CHUNK = 500;
const PAGE = 100;
const MOST_PAGES = 20;
const TAIL_LINES = 200;
const TAIL_TTL_SECONDS = 7 * 24 * 3600;

/** Reads of one server's run records. Throws what Redis answers with. */
export class RunReader {
  constructor(
    protected readonly redis: Redis,
    protected readonly keys: Keys,
  ) {}

  /**
   * The run's own fields, or null; in the place of `status` what stands in it. A run that is only staged is not there yet.
   */
  async readMeta(run: string): Promise<Record<string, string> | null> {
    const values = await this.redis.hmget(this.keys.run(run), ...RUN_FIELDS);
    const meta: Record<string, string> = {};
    for (const [at, field] of RUN_FIELDS.entries()) {
      const value = values[at];
      if (field === 'status') Object.assign(meta, readStatus(value ?? ''));
      else if (value !== null && value !== undefined) meta[field] = value;
    }
    return meta.createdAt === undefined ? null : meta;
  }

  /** What is in use of a limit that is the run's own. */
  async readOwnUse(run: string, limit: string): Promise<number> {
    return readOwnUse((await this.redis.hget(this.keys.run(run), 'status')) ?? '').get(limit) ?? 0;
  }

  /** The records of a run's tasks and gates by their index; pending ones have none. */
  async readTasks(run: string): Promise<Record<string, string>> {
    return this.readRecords(run, 0, await this.countNodes(run));
  }

  /** The records of the next 100 nodes of which any has one; `from` 0 begins and ends a round. */
  async scanTasks(run: string, from: number): Promise<{ next: number; records: Record<string, string> }> {
    const count = await this.countNodes(run);
    for (let [at, pages] = [from, 1]; ; at += PAGE, pages++) {
      const records = await this.readRecords(run, at, Math.min(at + PAGE, count));
      const next = at + PAGE < count ? at + PAGE : 0;
      if (next === 0 || pages === MOST_PAGES || Object.keys(records).length > 0) return { next, records };
    }
  }

  private async countNodes(run: string): Promise<number> {
    return Number((await this.redis.hget(this.keys.run(run), 'nodes')) ?? 0);
  }

  private async readRecords(run: string, from: number, to: number): Promise<Record<string, string>> {
    const indexes = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
    if (indexes.length === 0) return {};
    // In one command, so that they are of one moment.
    const texts = await this.redis.hmget(this.keys.run(run), ...indexes.map((index) => `${NODE_FIELDS.tasks}${index}`));
    return Object.fromEntries(indexes.flatMap((index, at) => (texts[at] == null ? [] : [[index, texts[at]]])));
  }

  /** Some of the runs that have not ended, drawn by chance. */
  async someLiveRuns(count: number): Promise<string[]> {
    return (await this.redis.srandmember(this.keys.live, count)) as string[];
  }

  async readTask(run: string, index: number): Promise<string | null> {
    return this.redis.hget(this.keys.run(run), `${NODE_FIELDS.tasks}${index}`);
  }

  async readPlan(run: string): Promise<string | null> {
    return this.redis.get(this.keys.run(run, 'plan'));
  }

  /** Definitions of the tasks asked for, or of all, in order of index. */
  async readDefs(run: string, indexes: readonly number[]): Promise<(string | null)[]> {
    return this.readFields(run, 'defs', indexes);
  }

  /** Bytes of what tasks gave their dependents; 0 where that is nothing. */
  async readValueSizes(run: string, indexes: readonly number[]): Promise<number[]> {
    const sizes: number[] = [];
    for (let from = 0; from < indexes.length; from += CHUNK) {
      const part = indexes.slice(from, from + CHUNK);
      sizes.push(
        ...(await Promise.all(part.map((index) => this.redis.hstrlen(this.keys.run(run, 'out'), String(index))))),
      );
    }
    return sizes;
  }

  async readFields(
    run: string,
    part: NodePart | 'out' | 'needs',
    indexes: readonly number[],
  ): Promise<(string | null)[]> {
    const prefix = part === 'out' || part === 'needs' ? '' : NODE_FIELDS[part];
    const key = part === 'out' || part === 'needs' ? this.keys.run(run, part) : this.keys.run(run);
    const values: (string | null)[] = [];
    for (let from = 0; from < indexes.length; from += CHUNK) {
      values.push(
        ...(await this.redis.hmget(key, ...indexes.slice(from, from + CHUNK).map((index) => `${prefix}${index}`))),
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
