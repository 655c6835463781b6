/**
 * Connections, and what a server must be like before planq trusts it. Nothing else in the program makes a connection.
 */
import type { Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage, PlanqError } from '../runtime/errors.ts';
import { MASKED } from '../runtime/mask.ts';
import { passwordsOf } from '../runtime/secrets.ts';
import { GatheringRedis } from './gathering-redis.ts';
import { findUnfitness, isLocalAddress, parseServerInfo } from './server-info.ts';

export type Connection = Redis;

export interface RedisTarget {
  /** `redis://…`, `rediss://…`, or an absolute path of a unix socket. */
  url: string;
}

/**
 * A socket that stays silent for longer than this is dropped and made anew. Longer than BullMQ's longest blocking wait,
 * which would otherwise look like silence.
 */
const SOCKET_TIMEOUT_MS = 20_000;

const OPTIONS = {
  maxRetriesPerRequest: null,
  socketTimeout: SOCKET_TIMEOUT_MS,
  connectTimeout: 10_000,
  // ioredis keeps this timer, and with it the process, for a connection that was closed by the other side before.
  disconnectTimeout: 100,
  lazyConnect: true,
  retryStrategy: (times: number) => Math.min(times * 50, 1000),
  // After a failover the address may belong to another server while we still talk to the old one, which refuses to write.
  // Nothing of a refused command was done, so it is sent again there.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
} satisfies RedisOptions;

/** Makes a connection object; it connects on `connect()` or with the first command. */
export function createConnection(target: RedisTarget, overrides: RedisOptions = {}): Redis {
  const options = { ...OPTIONS, ...overrides, replyMapping: 'legacy' as const };
  const redis: Redis = target.url.startsWith('/')
    ? new GatheringRedis({ ...options, path: target.url })
    : new GatheringRedis(target.url, options);
  // Without a listener Node would end the process; what matters of a broken connection reaches the caller of a command.
  redis.on('error', () => undefined);
  return redis;
}

/**
 * Opens a connection or says in one sentence why not. It is tried once; after that it comes back by itself, as all do.
 * @throws PlanqError `redis_unreachable`
 */
export async function openConnection(target: RedisTarget, timeoutMs = 5000): Promise<Redis> {
  return tryOnce(target, { connectTimeout: timeoutMs }, (redis) => redis.ping());
}

/**
 * Opens a connection and looks what the server is like ({@link checkServer}). ioredis asks for INFO before it lets others
 * ask; where all is well, its question, ours and the ping are one here.
 * @throws PlanqError `redis_unreachable`, and what `checkServer` does
 */
export async function openChecked(
  target: RedisTarget,
  clock: Clock,
  options: { volatile: boolean },
): Promise<{ redis: Redis; check: ServerCheck }> {
  let asked: Asked | undefined;
  let redis = await tryOnce(target, { enableReadyCheck: false }, (opened) => {
    asked = ask(opened, clock);
    return Promise.resolve();
  });
  const isReady = await Promise.all([redis.ping(), asked?.info, asked?.skewMs]).then(
    ([, info]) => !/^loading:1/m.test(info ?? ''),
    () => false,
  );
  redis.options.enableReadyCheck = true;
  if (!isReady) {
    // It still loads its file, or refuses something: step by step, which waits for the one and says the other.
    redis.disconnect();
    asked = undefined;
    redis = await openConnection(target);
  }
  try {
    return { redis, check: await checkServer(redis, clock, options, asked) };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

async function tryOnce(
  target: RedisTarget,
  overrides: RedisOptions,
  first: (redis: Redis) => Promise<unknown>,
): Promise<Redis> {
  const redis = createConnection(target, { retryStrategy: () => null, connectTimeout: 5000, ...overrides });
  let cause: unknown;
  const listener = (error: unknown): void => {
    cause = error;
  };
  redis.on('error', listener);
  try {
    await redis.connect();
    await first(redis);
  } catch (error) {
    redis.disconnect();
    throw new PlanqError(
      'redis_unreachable',
      `cannot reach Redis at ${describeTarget(target)}: ${hidePassword(target, errorMessage(cause ?? error))}`,
      {
        hint: 'start it, or set REDIS_URL to the right address; without REDIS_URL planq starts its own',
      },
    );
  }
  redis.off('error', listener);
  redis.options.retryStrategy = OPTIONS.retryStrategy;
  redis.options.connectTimeout = OPTIONS.connectTimeout;
  return redis;
}

/** Of any length, other than in a log: what a client library says may hold the whole address. */
function hidePassword({ url }: RedisTarget, text: string): string {
  return [url, ...passwordsOf(url)].reduce((rest, secret) => rest.replaceAll(secret, MASKED), text);
}

/** The address without user name and password. */
export function describeTarget(target: RedisTarget): string {
  if (target.url.startsWith('/')) return `unix socket ${target.url}`;
  try {
    const url = new URL(target.url);
    return `${url.protocol}//${url.host}${url.pathname}`;
  } catch {
    return 'the configured address';
  }
}

export interface ServerCheck {
  /** `redis` or `valkey` and the version. */
  server: string;
  appendOnly: boolean | null;
  evictionPolicy: string | null;
  clockSkewMs: number;
  warnings: string[];
}

const CLOCK_SKEW_LIMIT_MS = 2000;
const CLOCK_SKEW_WARNING_MS = 500;

/**
 * Looks whether planq can work with the server, whether it keeps what it acknowledges and agrees on the time. INFO says it
 * all; CONFIG is asked only for what INFO leaves out, since many users may not.
 * @param options.volatile accept a server that may lose data
 * @throws PlanqError `redis_unfit` (too old, cluster, replica, INFO refused), `redis_unsafe` (no append-only file, an
 *   eviction policy other than noeviction) or `clock_skew`
 */
export async function checkServer(
  redis: Redis,
  clock: Clock,
  options: { volatile: boolean },
  asked: Asked = ask(redis, clock),
): Promise<ServerCheck> {
  const facts = parseServerInfo(await readInfo(asked.info));
  const unfit = findUnfitness(facts);
  if (unfit !== null)
    throw new PlanqError('redis_unfit', `cannot work with this Redis: ${unfit.cause}`, { hint: unfit.hint });
  const appendOnly = facts.appendOnly ?? (await readFlag(redis, 'appendonly'));
  const policy = facts.evictionPolicy ?? (await readSetting(redis, 'maxmemory-policy'));
  const skew = await asked.skewMs;
  const check: ServerCheck = {
    server: `${facts.kind} ${facts.version ?? 'unknown version'}`,
    appendOnly,
    evictionPolicy: policy,
    clockSkewMs: skew,
    warnings: [],
  };
  if (facts.version === null)
    check.warnings.push('Redis does not say which version it is; planq needs Redis 6.2 or later, or Valkey');
  if (Math.abs(skew) > CLOCK_SKEW_LIMIT_MS) {
    throw new PlanqError('clock_skew', `cannot work with a clock that differs from Redis by ${skew} ms`, {
      hint: 'synchronise the clocks of this machine and the Redis machine (NTP), then start again',
    });
  }
  if (Math.abs(skew) > CLOCK_SKEW_WARNING_MS)
    check.warnings.push(`the clock differs from Redis by ${skew} ms; synchronise the machines`);
  refuseUnsafe(check, options.volatile);
  return check;
}

/** What a server was asked and may not have answered yet. */
interface Asked {
  info: Promise<string>;
  /** By how many milliseconds its clock is ahead. */
  skewMs: Promise<number>;
}

function ask(redis: Redis, clock: Clock): Asked {
  const asked = { skewMs: askTime(redis, clock), info: redis.info() };
  // They travel together; who waits for the first may never wait for the second.
  for (const answer of Object.values(asked)) answer.catch(() => undefined);
  return asked;
}

/** @returns by how many milliseconds the server's clock is ahead */
async function askTime(redis: Redis, clock: Clock): Promise<number> {
  const before = clock.now();
  const [seconds, micros] = await redis.time();
  const serverNow = Number(seconds) * 1000 + Number(micros) / 1000;
  return Math.round(serverNow - (before + clock.now()) / 2);
}

function refuseUnsafe(check: ServerCheck, volatile: boolean): void {
  const faults: string[] = [];
  if (check.appendOnly === false) faults.push('it has no append-only file (appendonly no)');
  if (check.evictionPolicy !== null && check.evictionPolicy !== 'noeviction') {
    faults.push(`it may evict keys (maxmemory-policy ${check.evictionPolicy})`);
  }
  const unknown = [
    ...(check.appendOnly === null ? ['appendonly is yes'] : []),
    ...(check.evictionPolicy === null ? ['maxmemory-policy is noeviction'] : []),
  ];
  if (unknown.length > 0)
    check.warnings.push(`Redis does not let us read its settings; make sure that ${unknown.join(' and ')}`);
  if (faults.length === 0) return;
  if (volatile) {
    check.warnings.push(`this Redis may lose runs: ${faults.join('; ')}`);
    return;
  }
  throw new PlanqError('redis_unsafe', `cannot trust this Redis with runs: ${faults.join('; ')}`, {
    hint: 'set "appendonly yes" and "maxmemory-policy noeviction", or accept the loss with --volatile',
  });
}

/** @throws PlanqError `redis_unfit` where the user's rights forbid INFO: BullMQ cannot start without it either */
async function readInfo(asked: Promise<string>): Promise<string> {
  try {
    return await asked;
  } catch (error) {
    throw new PlanqError('redis_unfit', `cannot look at this Redis: ${errorMessage(error)}`, {
      hint: 'give the user the rights that docs/redis.md lists',
      cause: error,
    });
  }
}

async function readFlag(redis: Redis, name: string): Promise<boolean | null> {
  const value = await readSetting(redis, name);
  return value === null ? null : value === 'yes';
}

/** Null where the user's rights forbid CONFIG. */
async function readSetting(redis: Redis, name: string): Promise<string | null> {
  try {
    const reply = (await redis.config('GET', name)) as string[];
    return reply[1] ?? null;
  } catch {
    return null;
  }
}

/** A sentence when everybody who reaches the address may write there, and so have commands run by every worker. */
export function warnOpenServer(target: RedisTarget): string | null {
  if (isLocalAddress(target.url) || passwordsOf(target.url).length > 0) return null;
  return `Redis at ${describeTarget(target)} answers without a password: whoever reaches it can have commands run by every worker; give it one, and a user as docs/redis.md says`;
}
