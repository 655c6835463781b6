/**
 * What stands behind every verb: the connections, the record and the queues of one planq process, with one lifecycle.
 * Where REDIS_URL is not set, the project's private server is started with it and left with it.
 */
import path from 'node:path';
import { Audits } from '../redis/audits.ts';
import {
  type Connection,
  createConnection,
  openChecked,
  type RedisTarget,
  type ServerCheck,
  warnOpenServer,
} from '../redis/connection.ts';
import { createKeys, type Keys } from '../redis/keys.ts';
import { createLateQueues, type LateQueues } from '../redis/late-queues.ts';
import { NotifyLease } from '../redis/notify-lease.ts';
import { type PrivateServer, startPrivateServer } from '../redis/private-server.ts';
import { RunRecord } from '../redis/record.ts';
import { createScripts } from '../redis/scripts.ts';
import { Steering } from '../redis/steering.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';

export interface Store {
  target: RedisTarget;
  keys: Keys;
  redis: Connection;
  record: RunRecord;
  steering: Steering;
  audits: Audits;
  queues: LateQueues;
  check: ServerCheck;
  /** Who tells a receiver of notifications, and how far. @param holder a worker's id */
  notifyLease(receiver: string, holder: string): NotifyLease;
  /** Another connection to the same server, for blocking reads; the caller disconnects it. */
  connect(): Connection;
  /** Drops the connection that inserts jobs, so that BullMQ's scripts are loaded anew, and waits for the next one. */
  renewProducer(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the store.
 * @throws PlanqError `redis_missing`, `redis_unreachable`, `redis_unfit`, `redis_unsafe`, `clock_skew`
 */
export async function openStore(config: Config, clock: Clock): Promise<Store> {
  const server: PrivateServer | null =
    config.redisUrl === null ? await startPrivateServer(path.join(config.projectDir, '.planq', 'redis'), clock) : null;
  const target = { url: server?.socket ?? config.redisUrl ?? '' };
  try {
    const { redis, check } = await openChecked(target, clock, { volatile: config.volatile });
    const open = warnOpenServer(target);
    if (open !== null) check.warnings.push(open);
    return assemble(config, target, redis, check, server);
  } catch (error) {
    await server?.release();
    throw error;
  }
}

function assemble(
  config: Config,
  target: RedisTarget,
  redis: Connection,
  check: ServerCheck,
  server: PrivateServer | null,
): Store {
  const keys = createKeys(config.prefix);
  const producer = createConnection(target);
  const queues = createLateQueues(producer, keys);
  const scripts = createScripts(redis, keys.base, config);
  return {
    target,
    keys,
    redis,
    check,
    record: new RunRecord(redis, keys, scripts),
    steering: new Steering(scripts),
    audits: new Audits(scripts),
    queues,
    notifyLease: (receiver, holder) => new NotifyLease(scripts, receiver, holder),
    connect: () => createConnection(target),
    renewProducer: async () => {
      const ready = new Promise<void>((resolve) => producer.once('ready', () => resolve()));
      producer.disconnect(true);
      await ready;
    },
    close: async () => {
      await queues.close();
      producer.disconnect();
      redis.disconnect();
      await server?.release();
    },
  };
}
