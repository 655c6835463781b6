/**
 * A Redis for one fault test, that can be killed, stopped, and started again on the same files and addresses. It listens
 * on a socket for the test itself, and on a loopback port for what goes through a proxy.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { accepting, SERVER_COMMANDS, spawnFirst } from '../support/redis-server.ts';

export interface FaultRedis {
  folder: string;
  /** Path of the unix socket. */
  socket: string;
  port: number;
  readonly pid: number;
  /** Starts it on the files as they are; resolves when it accepts connections. */
  start(): Promise<void>;
  /** Ends it as a power switch would, for the process; what it wrote is in the kernel's hands. */
  kill(): Promise<void>;
}

/** Starts a server that ends, and whose files are removed, with the test. @param settings more lines of configuration */
export async function startFaultRedis(settings: Readonly<Record<string, string>> = {}): Promise<FaultRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'planq-faults-'));
  const socket = path.join(folder, 'redis.sock');
  const port = await findFreePort();
  const argv = Object.entries({
    bind: '127.0.0.1',
    port: String(port),
    unixsocket: socket,
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
    ...settings,
  }).flatMap(([name, value]) => [`--${name}`, value]);
  let child: ChildProcess | undefined;
  const killWithUs = (): unknown => child?.kill('SIGKILL');
  process.once('exit', killWithUs);
  const server: FaultRedis = {
    folder,
    socket,
    port,
    get pid() {
      return child?.pid ?? 0;
    },
    start: async () => {
      child = await spawnFirst(SERVER_COMMANDS, argv);
      await accepting(child);
    },
    kill: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
  onTestFinished(async () => {
    process.off('exit', killWithUs);
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  });
  await server.start();
  return server;
}

export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
