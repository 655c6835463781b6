/**
 * A TCP relay between a worker and Redis, to cut them off from each other without either of them being told.
 */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RedisProxy {
  /** For REDIS_URL. */
  url: string;
  /** Nothing passes any more, in either direction; connections stay open, and new ones are accepted and stay silent. */
  hold(): void;
  /** Everything that was held passes, late. */
  release(): void;
  /** New connections go to another port; those of now stay where they are. */
  moveTo(port: number): void;
  /** The connections of now go silent for ever, as when a load balancer has forgotten them; new ones work. */
  drop(): void;
}

interface Pair {
  client: Socket;
  upstream: Socket;
  isDropped: boolean;
}

/** Starts a relay to a loopback port; it ends with the test. */
export async function startProxy(port: number): Promise<RedisProxy> {
  const pairs = new Set<Pair>();
  let target = port;
  let isHeld = false;
  const server = createServer((client) => {
    const upstream = createConnection({ port: target, host: '127.0.0.1' });
    const pair: Pair = { client, upstream, isDropped: false };
    pairs.add(pair);
    relay(pair, client, upstream);
    relay(pair, upstream, client);
    if (isHeld) pause(pair);
  });
  const relay = (pair: Pair, from: Socket, to: Socket): void => {
    from.on('data', (chunk) => void to.write(chunk));
    from.on('error', () => undefined);
    from.on('close', () => {
      // The other side is not told of a connection that was forgotten.
      if (pair.isDropped && from === pair.client) return;
      to.destroy();
      pairs.delete(pair);
    });
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  onTestFinished(() => {
    server.close();
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
  });
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    hold: () => {
      isHeld = true;
      for (const pair of pairs) pause(pair);
    },
    release: () => {
      isHeld = false;
      for (const pair of pairs) if (!pair.isDropped) resume(pair);
    },
    moveTo: (to) => {
      target = to;
    },
    drop: () => {
      for (const pair of pairs) {
        pair.isDropped = true;
        pause(pair);
      }
    },
  };
}

function pause({ client, upstream }: Pair): void {
  client.pause();
  upstream.pause();
}

function resume({ client, upstream }: Pair): void {
  client.resume();
  upstream.resume();
}
