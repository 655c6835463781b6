/**
 * Looks whether this machine and its Redis are fit for planq. Every check says what it found and, where it is not well,
 * what to do. Nothing is changed, but for a probe file that is removed again.
 */
import { access, constants, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { listWorkers } from '../producer/fleet.ts';
import type { Store } from '../producer/store.ts';
import { mayListKeys } from '../redis/access.ts';
import { describeTarget, warnOpenServer } from '../redis/connection.ts';
import { findServerProgram } from '../redis/private-server.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Config, describeKeep } from '../runtime/config.ts';
import { checkDisk } from '../runtime/disk.ts';
import { errorMessage, PlanqError } from '../runtime/errors.ts';
import { makePrivateFolder, PRIVATE_FILE } from '../runtime/files.ts';

export interface Finding {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
  /** What to do; null when all is well. */
  next: string | null;
}

export interface DoctorInput {
  config: Config;
  clock: Clock;
  nodeVersion: string;
  /** How agents are held on this machine. */
  detectTier(): Promise<{ tier: 'A' | 'B' | 'C'; how: string; reason: string }>;
  /** How exactly their processors and memory are limited; sentences. */
  agentLimits(): Promise<readonly string[]>;
  /** @throws PlanqError `redis_*`, `clock_skew` */
  openStore(): Promise<Store>;
  /** Who is notified, by this process's configuration and environment. */
  receivers: readonly ReceiverFact[];
}

export interface ReceiverFact {
  to: string;
  on: readonly string[];
  /** Variable with its secret; null = it needs none. */
  secretEnv: string | null;
  hasSecret: boolean;
}

const LEAST_NODE = [20, 20] as const;

/** All findings, in the order in which a person should mend them. */
export async function examine(input: DoctorInput): Promise<Finding[]> {
  return [
    checkNode(input.nodeVersion),
    await checkProject(input.config),
    await checkRoom(input.config),
    checkProgram(input.config),
    ...(await checkRedis(input)),
    await checkProcessControl(input),
    ok('agent-limits', (await input.agentLimits()).join('; ')),
    ok('keep', `ended runs stay in Redis: ${describeKeep(input.config.keep)}`),
    ...input.receivers.map(checkReceiver),
  ];
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isFit = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return isFit
    ? ok('node', `Node ${version}`)
    : fail('node', `Node ${version} is too old`, `install Node ${LEAST_NODE.join('.')} or later`);
}

/** Workers begin nothing where there is too little. */
async function checkRoom({ projectDir, workspace }: Config): Promise<Finding> {
  const lack = await checkDisk(path.resolve(projectDir, workspace));
  return lack === null
    ? ok('disk', 'there is room for output')
    : warn('disk', lack, 'make room; no worker begins a task until then');
}

async function checkProject({ projectDir }: Config): Promise<Finding> {
  const folder = path.join(projectDir, '.planq');
  const probe = path.join(folder, `probe-${process.pid}`);
  try {
    await access(projectDir, constants.R_OK | constants.W_OK | constants.X_OK);
    await makePrivateFolder(folder);
    await writeFile(probe, 'probe', { mode: PRIVATE_FILE });
    return ok('project', `${projectDir} can be written`);
  } catch (error) {
    const next = 'make the folder writable, or name another with --project';
    return fail('project', `cannot write to ${projectDir}: ${errorMessage(error)}`, next);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

function checkProgram({ redisUrl }: Config): Finding {
  if (redisUrl !== null) return ok('redis-program', 'not needed: REDIS_URL names a server');
  const program = findServerProgram();
  return program === null
    ? fail(
        'redis-program',
        'neither redis-server nor valkey-server is on PATH',
        'run "npm run setup:redis", or set REDIS_URL',
      )
    : ok('redis-program', `${program} is on PATH; planq starts its own`);
}

async function checkRedis(input: DoctorInput): Promise<Finding[]> {
  let store: Store;
  try {
    store = await input.openStore();
  } catch (error) {
    const hint = error instanceof PlanqError ? error.hint : undefined;
    return [fail('redis', errorMessage(error), hint ?? 'start Redis, or set REDIS_URL')];
  }
  const { check } = store;
  return [
    ok('redis', `${check.server} at ${describeTarget(store.target)}`),
    checkAccess(store),
    check.appendOnly === true
      ? ok('append-only', 'what is acknowledged is on disk')
      : warn(
          'append-only',
          check.appendOnly === null ? 'could not be checked: the server does not tell' : 'append-only is off',
          'set "appendonly yes"',
        ),
    check.evictionPolicy === 'noeviction'
      ? ok('eviction', 'no keys are evicted')
      : warn(
          'eviction',
          check.evictionPolicy === null
            ? 'could not be checked: the server does not tell'
            : `maxmemory-policy is ${check.evictionPolicy}`,
          'set "maxmemory-policy noeviction"',
        ),
    Math.abs(check.clockSkewMs) <= 500
      ? ok('clock', `differs from Redis by ${Math.abs(check.clockSkewMs)} ms`)
      : warn('clock', `differs from Redis by ${check.clockSkewMs} ms`, 'synchronise the clocks (NTP)'),
    await checkWorkers(store, input.clock),
  ];
}

function checkAccess({ target, redis }: Store): Finding {
  const open = warnOpenServer(target);
  const guarded = 'not everybody who reaches the address can write';
  if (open === null && mayListKeys(redis)) return ok('access', guarded);
  if (open === null)
    return ok('access', `${guarded}; this user may not list keys, so jobs of no run stay (docs/redis.md)`);
  return warn('access', open, 'set a password, or a user with an ACL: docs/redis.md');
}

async function checkWorkers(store: Store, clock: Clock): Promise<Finding> {
  const workers = await listWorkers(store, clock);
  if (workers.length === 0)
    return ok('workers', 'none; "planq run" performs its tasks itself, "planq worker" starts one');
  const words = workers.map(({ id, masters, running }) => {
    const serves = masters === null ? 'all masters' : Object.keys(masters).join(', ');
    return `${id} (${serves}; ${running} running)`;
  });
  return ok('workers', words.join('; '));
}

/** How surely an agent ends with its worker. */
async function checkProcessControl(input: DoctorInput): Promise<Finding> {
  const { tier, how, reason } = await input.detectTier();
  const message = `tier ${tier}: ${how}${tier === 'A' ? '' : ` (${reason})`}`;
  if (tier !== 'C') return ok('process-control', message);
  return warn('process-control', message, 'use Linux with /proc where agents start processes of their own');
}

/** Nothing is delivered here: `planq notify --test` does that. */
function checkReceiver({ to, on, secretEnv, hasSecret }: ReceiverFact): Finding {
  const told = `${to} is told of ${on.join(', ')}`;
  if (secretEnv === null) return ok('notify', told);
  if (hasSecret) return ok('notify', `${told}; signed with the secret in ${secretEnv}`);
  return fail(
    'notify',
    `${told}, but the variable ${secretEnv} with its secret is not set`,
    `set ${secretEnv} where workers are started: none starts without it`,
  );
}

function ok(name: string, message: string): Finding {
  return { name, status: 'ok', message, next: null };
}

function warn(name: string, message: string, next: string): Finding {
  return { name, status: 'warn', message, next };
}

function fail(name: string, message: string, next: string): Finding {
  return { name, status: 'fail', message, next };
}
