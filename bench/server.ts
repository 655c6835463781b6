/**
 * A Redis of the bench's own, set up as in production (append-only, everysec), and what it says of its work.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedisServer } from '../test/support/redis-server.ts';

/** Totals since the server started; two of them make a difference. */
export interface ServerTotals {
  commands: number;
  bytesIn: number;
  bytesOut: number;
  /** Processor time, ms. */
  cpuMs: number;
  /** Bytes of the data alone. */
  dataset: number;
  /** By command, those inside scripts included: calls, and microseconds. */
  byCommand: Map<string, { calls: number; usec: number }>;
}

export interface BenchServer {
  socket: string;
  pid: number;
  redis: Redis;
  /** Empties it and its append-only file, so that a round begins like every other. */
  empty(): Promise<void>;
  totals(): Promise<ServerTotals>;
  version: string;
  stop(): Promise<void>;
}

/** A rewrite of the append-only file in the middle of a round would hit one system only; `empty` does it between them. */
const SETTINGS: readonly (readonly [string, string])[] = [['auto-aof-rewrite-percentage', '0']];

export async function startServer(): Promise<BenchServer> {
  const server = await startRedisServer(SETTINGS);
  const redis = new Redis({ path: server.socket, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const info = async (): Promise<string> => redis.info('everything');
  return {
    socket: server.socket,
    pid: server.pid,
    redis,
    version: fieldOf(await info(), 'redis_version'),
    empty: async () => {
      await redis.flushall();
      await redis.bgrewriteaof();
      while (/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'))) await sleep(10);
    },
    totals: async () => readTotals(await info()),
    stop: async () => {
      redis.disconnect();
      await server.stop();
    },
  };
}

function readTotals(info: string): ServerTotals {
  const number = (name: string): number => Number(fieldOf(info, name));
  const byCommand = new Map<string, { calls: number; usec: number }>();
  for (const [, name, calls, usec] of info.matchAll(/^cmdstat_(\S+?):calls=(\d+),usec=(\d+)/gm))
    byCommand.set(name!, { calls: Number(calls), usec: Number(usec) });
  return {
    commands: number('total_commands_processed'),
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
    cpuMs: (number('used_cpu_user') + number('used_cpu_sys')) * 1000,
    dataset: number('used_memory_dataset'),
    byCommand,
  };
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}

/** What happened between two totals. */
export function difference(after: ServerTotals, before: ServerTotals): ServerTotals {
  const byCommand = new Map<string, { calls: number; usec: number }>();
  for (const [name, { calls, usec }] of after.byCommand) {
    const was = before.byCommand.get(name) ?? { calls: 0, usec: 0 };
    if (calls > was.calls) byCommand.set(name, { calls: calls - was.calls, usec: usec - was.usec });
  }
  return {
    commands: after.commands - before.commands,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
    cpuMs: after.cpuMs - before.cpuMs,
    dataset: after.dataset - before.dataset,
    byCommand,
  };
}
