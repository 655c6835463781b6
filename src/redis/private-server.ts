/**
 * The project's own Redis, for people who have none: a `redis-server` or `valkey-server` from PATH on a unix socket in
 * `.planq/redis/` (readable by its owner only), append-only. All planq processes of the project share it; the last one
 * to leave shuts it down. A server that a killed process left behind is taken over by the next one; a server that dies is
 * started again, over its append-only file, by the first process that notices.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lstat, open } from 'node:fs/promises';
import { connect as createSocket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Redis } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage, PlanqError } from '../runtime/errors.ts';
import { makePrivateFolder, PRIVATE_FOLDER } from '../runtime/files.ts';
import { createConnection } from './connection.ts';
import { withLock } from './start-lock.ts';

/** Unix socket paths may not be longer (sun_path, 108 bytes with the final zero). */
const SOCKET_PATH_LIMIT = 107;
const START_TIMEOUT_MS = 20_000;
const SERVERS = ['redis-server', 'valkey-server'];

export interface PrivateServer {
  socket: string;
  /** Ends this process's share; shuts the server down when nobody else is connected. Call it after all other connections were closed. */
  release(): Promise<void>;
}

/**
 * Connects to the project's private server, starting it where it does not run.
 * @param folder `<project>/.planq/redis`
 * @throws PlanqError `redis_missing` when no server program is on PATH, `redis_unreachable` when it does not come up
 */
export async function startPrivateServer(folder: string, clock: Clock): Promise<PrivateServer> {
  await makePrivateFolder(folder);
  await chmod(folder, PRIVATE_FOLDER);
  const socket = await socketPath(folder);
  const lock = path.join(folder, 'start.lock');
  const deadline = clock.monotonic() + START_TIMEOUT_MS;
  const share = await withLock(lock, deadline, clock, async () => {
    await ensure(folder, socket, deadline, clock);
    // Held until release: it is what tells the others that somebody is still here.
    const connection = createConnection({ url: socket });
    await connection.connect();
    return connection;
  });
  const inTurn = (action: (deadline: number) => Promise<void>): Promise<void> => {
    const until = clock.monotonic() + START_TIMEOUT_MS;
    return withLock(lock, until, clock, () => action(until));
  };
  const stopWatching = watchOver(share, clock, () => inTurn((until) => ensure(folder, socket, until, clock)));
  const release = async (): Promise<void> => {
    await stopWatching();
    await inTurn(() => leave(share, socket));
  };
  return { socket, release };
}

const REVIVE_PAUSE_MS = 500;

/** Has the server started again whenever it is gone. @returns how to end that */
function watchOver(share: Redis, clock: Clock, start: () => Promise<void>): () => Promise<void> {
  const end = new AbortController();
  let reviving: Promise<void> | undefined;
  const revive = async (): Promise<void> => {
    while (!end.signal.aborted && share.status !== 'ready') {
      // What keeps it from starting may pass, such as a full disk; all connections go on trying as well.
      await start().catch(() => undefined);
      await clock.sleep(REVIVE_PAUSE_MS, end.signal);
    }
    reviving = undefined;
  };
  share.on('close', () => {
    if (!end.signal.aborted) reviving ??= revive();
  });
  return async () => {
    end.abort();
    await reviving;
  };
}

/** Waits for a server that is there but busy: a second one would write into its files. To be called under the lock. */
async function ensure(folder: string, socket: string, deadline: number, clock: Clock): Promise<void> {
  while (!(await answers(socket))) {
    if (!(await isListening(socket))) return launch(folder, socket, deadline, clock);
    if (clock.monotonic() > deadline) {
      throw new PlanqError('redis_unreachable', `cannot reach Redis at ${socket}: it does not answer`, {
        hint: `look into ${path.join(folder, 'redis.log')}`,
      });
    }
    await clock.sleep(20);
  }
}

/** Whether a process has the socket, be it stopped or too busy to answer. */
function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createSocket(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ENOENT' && code !== 'ECONNREFUSED'));
  });
}

/** The installed server program, or null. */
export function findServerProgram(): string | null {
  for (const name of SERVERS) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return name;
    } catch {
      // Not on PATH: try the next name.
    }
  }
  return null;
}

async function socketPath(folder: string): Promise<string> {
  const beside = path.join(folder, 'redis.sock');
  if (Buffer.byteLength(beside) <= SOCKET_PATH_LIMIT) return beside;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const elsewhere = path.join(os.tmpdir(), `planq-${os.userInfo().uid}-${hash}`);
  await makePrivateFolder(elsewhere);
  await refuseForeign(elsewhere);
  return path.join(elsewhere, 'redis.sock');
}

/** Everybody may write to the folder for temporary files, and could have made this one before us. */
async function refuseForeign(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === os.userInfo().uid && (found.mode & 0o077) === 0) return;
  throw new PlanqError(
    'redis_unreachable',
    `cannot use ${folder} for the socket of Redis: it is not this user's alone`,
    {
      hint: 'remove it, or work in a project folder with a shorter path',
    },
  );
}

async function launch(folder: string, socket: string, deadline: number, clock: Clock): Promise<void> {
  const program = findServerProgram();
  if (program === null) throw missingServer();
  const log = await open(path.join(folder, 'redis.log'), 'a', 0o600);
  try {
    // Its files are its owner's alone, whatever the umask is; `exec` keeps it one process.
    const child = spawn('/bin/sh', ['-c', 'umask 077; exec "$0" "$@"', program, ...serverArguments(folder, socket)], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: folder,
    });
    const failure = new Promise<Error>((resolve) => {
      child.once('error', resolve);
      child.once('exit', (code) => resolve(new Error(`it ended with exit code ${code}`)));
    });
    child.unref();
    let failed: Error | undefined;
    void failure.then((error) => {
      failed = error;
    });
    while (!(await answers(socket))) {
      if (failed !== undefined || clock.monotonic() > deadline) {
        throw new PlanqError(
          'redis_unreachable',
          `cannot start ${program}: ${errorMessage(failed ?? 'it does not answer')}`,
          {
            hint: `look into ${path.join(folder, 'redis.log')}`,
          },
        );
      }
      await clock.sleep(20);
    }
  } finally {
    await log.close();
  }
}

function serverArguments(folder: string, socket: string): string[] {
  const settings = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** @returns the error for a machine without a server, with the line to type */
export function missingServer(): PlanqError {
  return new PlanqError(
    'redis_missing',
    'cannot find redis-server or valkey-server on PATH, and REDIS_URL is not set',
    {
      hint: `install it: ${installLine()}; or set REDIS_URL to a server you have`,
    },
  );
}

function installLine(): string {
  if (process.platform === 'darwin') return 'brew install redis';
  const managers: [string, string][] = [
    ['apt-get', 'sudo apt-get install redis-server'],
    ['dnf', 'sudo dnf install redis'],
    ['apk', 'sudo apk add redis'],
  ];
  for (const [program, line] of managers) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return line;
    } catch {
      // Not this system's manager.
    }
  }
  return 'https://redis.io/docs/latest/operate/oss_and_stack/install/';
}

async function answers(socket: string): Promise<boolean> {
  const probe = createConnection({ url: socket }, { retryStrategy: () => null, maxRetriesPerRequest: 1 });
  try {
    await probe.connect();
    return (await probe.ping()) === 'PONG';
  } catch {
    // Not there, or still loading its file.
    return false;
  } finally {
    probe.disconnect();
  }
}

/** Shuts the server down when this process is its only client; closes `share` in any case. */
async function leave(share: Redis, socket: string): Promise<void> {
  // A share that is just trying to come back would keep the command for ever, and might not be counted.
  const isThere = share.status === 'ready';
  if (!isThere) share.disconnect();
  const last = isThere ? share : createConnection({ url: socket }, { lazyConnect: true });
  last.options.retryStrategy = () => null;
  try {
    const clients = String(await last.client('LIST'))
      .trim()
      .split('\n');
    if (clients.length === 1) await last.shutdown('NOSAVE');
  } catch {
    // It closes the connection while it shuts down, or was gone before: both are what was wanted.
  } finally {
    last.disconnect();
  }
}
