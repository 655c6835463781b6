/**
 * One real Redis for the whole test run, on a unix socket in a fresh folder, set up as planq demands it of any server.
 * Tests get the socket's path by `inject('redisUrl')` and keep to a key prefix of their own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the test run's Redis socket. */
    redisUrl: string;
  }
}

/** Names of what may be on PATH. */
export const SERVER_COMMANDS = ['redis-server', 'valkey-server'];

/** Starts the server and hands its socket to the tests. Returns what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startRedisServer();
  project.provide('redisUrl', server.socket);
  return server.stop;
}

export interface RedisServer {
  /** Path of the unix socket. */
  socket: string;
  pid: number;
  /** Ends the process and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis of one's own: for the run, and for tests that kill or fill one.
 * @param settings more lines of configuration, as pairs: `['maxmemory', '10mb']`
 * @throws when there is no server on PATH, or when it ends before it accepts connections
 */
export async function startRedisServer(settings: readonly (readonly [string, string])[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'planq-test-'));
  const socket = path.join(folder, 'redis.sock');
  const argv = Object.entries({
    port: '0',
    unixsocket: socket,
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
    ...Object.fromEntries(settings),
  }).flatMap(([name, value]) => [`--${name}`, value]);
  try {
    const child = await spawnFirst(SERVER_COMMANDS, argv);
    const killWithUs = (): unknown => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    const stop = async (): Promise<void> => {
      process.off('exit', killWithUs);
      await end(child);
      await rm(folder, { recursive: true, force: true });
    };
    await accepting(child).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return { socket, pid: child.pid!, stop };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Starts the first of the commands that is there. @throws when none is */
export async function spawnFirst(commands: readonly string[], argv: readonly string[]): Promise<ChildProcess> {
  for (const command of commands) {
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const isThere = await once(child, 'spawn').then(
      () => true,
      () => false,
    );
    if (isThere) return child;
  }
  throw new Error('there is no redis-server or valkey-server on PATH; type: npm run setup:redis');
}

/** Resolves when the server says that it accepts connections; rejects with what it said when it ends instead. */
export async function accepting(child: ChildProcess): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (!/ready to accept connections/i.test(line)) continue;
    child.stdout!.resume();
    return;
  }
  throw new Error(`the Redis server for the tests ended before it was ready:\n${lines.join('\n')}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
