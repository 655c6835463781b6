/** A Redis server on a port, and the user with few rights that docs/redis.md tells people to make. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Redis } from 'ioredis';
import { createConnection } from '../../src/redis/connection.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { readRepository } from './repository.ts';

export const PASSWORD = 'pass/word#of@redis';

/** The words of the line in docs/redis.md, for one password and one prefix. */
export function readAclLine(prefix: string, password = PASSWORD): string[] {
  const line = /^ACL SETUSER (planq .+)$/m.exec(readRepository('docs/redis.md'))?.[1];
  if (line === undefined) throw new Error('docs/redis.md has no line "ACL SETUSER planq …"');
  return line.split(' ').map((word) => word.replace('{planq}', `{${prefix}}`).replace('PASSWORD', password));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

export interface GuardedServer extends RedisServer {
  /** Address of the user with few rights. */
  url: string;
  port: number;
  /** All rights, by the socket. */
  admin: Redis;
  /** What was refused since the start: `<reason> <object> (<where>, <command of the client>)`. */
  denials(): Promise<string[]>;
}

/** @param more rights besides the line's, for what only tests do */
export async function startGuardedServer(prefix: string, more: readonly string[] = []): Promise<GuardedServer> {
  const port = await freePort();
  const server = await startRedisServer([
    ['port', String(port)],
    ['bind', '127.0.0.1'],
  ]);
  const admin = createConnection({ url: server.socket });
  await admin.call('ACL', 'SETUSER', ...readAclLine(prefix), ...more);
  return {
    ...server,
    port,
    admin,
    url: `redis://planq:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    denials: async () => {
      const entries = (await admin.call('ACL', 'LOG', '128')) as unknown[][];
      return entries.map((entry) => {
        const field = (name: string): string => String(entry[entry.indexOf(name) + 1]);
        const command = /\bcmd=(\S*)/.exec(field('client-info'))?.[1] ?? '';
        return `${field('reason')} ${field('object')} (${field('context')}, ${command})`;
      });
    },
    stop: async () => {
      admin.disconnect();
      await server.stop();
    },
  };
}
