/**
 * A receiver of webhooks with a certificate of its own making: `hooks.test`, `localhost`, 127.0.0.1 and 127.0.0.2, good for
 * a hundred years. The key is for these tests and worth nothing.
 */
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { waitUntil } from './processes.ts';

const TLS = path.join(import.meta.dirname, 'tls');

/** The file for NODE_EXTRA_CA_CERTS. */
export const CA_FILE = path.join(TLS, 'certificate.pem');
export const CA = readFileSync(CA_FILE, 'utf8');

export interface Hook {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HookServer {
  port: number;
  /** In the order in which they came. */
  hooks: Hook[];
  /** What it answers with; 200 unless told otherwise. */
  answer: (response: ServerResponse, hook: Hook) => void;
  /** Waits until so many came, and gives what they said. */
  bodies<T>(count: number): Promise<T[]>;
}

/** Listens until the test ends. */
export async function startHookServer(
  options: { host?: string; port?: number; isPlain?: boolean } = {},
): Promise<HookServer> {
  const hooks: Hook[] = [];
  const keys = { cert: CA, key: readFileSync(path.join(TLS, 'key.pem')) };
  const server = options.isPlain === true ? createPlainServer() : createServer(keys);
  const hookServer: HookServer = {
    port: 0,
    hooks,
    answer: (response) => void response.end('ok'),
    bodies: async (count) => {
      await waitUntil(`${count} hooks came`, () => hooks.length >= count, 20_000);
      return hooks.map(({ body }) => JSON.parse(body));
    },
  };
  server.on('request', async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const hook = { path: request.url ?? '', headers: request.headers, body };
    hooks.push(hook);
    hookServer.answer(response, hook);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve));
  hookServer.port = (server.address() as AddressInfo).port;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return hookServer;
}
