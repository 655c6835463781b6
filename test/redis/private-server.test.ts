import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createConnection } from '../../src/redis/connection.ts';
import { missingServer, startPrivateServer } from '../../src/redis/private-server.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { isAlive, waitUntil } from '../support/processes.ts';

async function projectFolder(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'planq-private-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return path.join(root, '.planq', 'redis');
}

async function serverPid(socket: string): Promise<number> {
  const redis = createConnection({ url: socket });
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  } finally {
    redis.disconnect();
  }
}

/** Kills the server, waits for the next one and kills that as well. @returns the second one's number */
async function killed(socket: string, first: number): Promise<number> {
  process.kill(first, 'SIGKILL');
  const second = await serverPid(socket);
  process.kill(second, 'SIGKILL');
  await waitUntil('a third server answers', async () => (await serverPid(socket)) !== second);
  return second;
}

/** Numbers of the server processes on the socket; a server calls itself after it. */
function serversAt(socket: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && /^\S*(redis|valkey)-server .*/.test(commandOf(pid)) && commandOf(pid).includes(socket)
      );
    } catch {
      // It ended while it was looked at.
      return false;
    }
  });
}

const commandOf = (pid: string): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');

test('processes of one project share one server, and the last one ends it', async () => {
  const folder = await projectFolder();
  const all = await Promise.all([1, 2, 3].map(() => startPrivateServer(folder, systemClock)));
  const pid = await serverPid(all[0]!.socket);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await all[0]!.release();
  await all[1]!.release();
  expect(isAlive(pid)).toBe(true);
  await all[2]!.release();
  await waitUntil('the server has ended', () => !isAlive(pid));
});

test('what was stored is there when the server is started again', async () => {
  const folder = await projectFolder();
  const first = await startPrivateServer(folder, systemClock);
  const writer = createConnection({ url: first.socket });
  await writer.set('k', 'v');
  writer.disconnect();
  await first.release();
  const second = await startPrivateServer(folder, systemClock);
  const reader = createConnection({ url: second.socket });
  expect(await reader.get('k')).toBe('v');
  reader.disconnect();
  await second.release();
});

test('a server that is killed is started again, once, with what it had', async () => {
  const folder = await projectFolder();
  const all = await Promise.all([1, 2, 3].map(() => startPrivateServer(folder, systemClock)));
  const { socket } = all[0]!;
  const client = createConnection({ url: socket });
  await client.set('k', 'v');
  const pid = await serverPid(socket);
  for (const dead of [pid, await killed(socket, pid)]) expect(isAlive(dead)).toBe(false);
  expect(await client.get('k')).toBe('v');
  expect(serversAt(socket)).toHaveLength(1);
  client.disconnect();
  for (const server of all) await server.release();
  await waitUntil('no server is left', () => serversAt(socket).length === 0);
});

test('whoever leaves when the server has just been killed neither waits nor leaves one behind', async () => {
  const folder = await projectFolder();
  const server = await startPrivateServer(folder, systemClock);
  process.kill(await serverPid(server.socket), 'SIGKILL');
  await server.release();
  await waitUntil('no server is left', () => serversAt(server.socket).length === 0);
});

test('the lock of a process that is gone is taken over', async () => {
  const folder = await projectFolder();
  const first = await startPrivateServer(folder, systemClock);
  // No process has this number: it is above what Linux gives.
  await writeFile(path.join(folder, 'start.lock'), '4194305');
  const second = await startPrivateServer(folder, systemClock);
  await second.release();
  await first.release();
});

test('a project far down in the file system gets its socket elsewhere', async () => {
  const folder = path.join(await projectFolder(), 'x'.repeat(100));
  const server = await startPrivateServer(folder, systemClock);
  expect(server.socket.length).toBeLessThan(108);
  await server.release();
});

test('a machine without a server is told what to type', () => {
  const error = missingServer();
  expect(error.code).toBe('redis_missing');
  expect(error.hint).toMatch(/^install it: .+; or set REDIS_URL/);
});
