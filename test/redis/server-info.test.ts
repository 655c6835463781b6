import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkServer, openConnection, warnOpenServer } from '../../src/redis/connection.ts';
import { findUnfitness, isLocalAddress, parseServerInfo } from '../../src/redis/server-info.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { freePort } from '../support/redis-access.ts';
import { startRedisServer } from '../support/redis-server.ts';

/** INFO's answer with these fields. */
function info(fields: Record<string, string>): string {
  const lines = Object.entries({ redis_version: '7.0.15', redis_mode: 'standalone', role: 'master', ...fields });
  return `# Server\r\n${lines.map(([name, value]) => `${name}:${value}\r\n`).join('')}`;
}

function causeOf(fields: Record<string, string>): string | null {
  return findUnfitness(parseServerInfo(info(fields)))?.cause ?? null;
}

describe('what a server says of itself', () => {
  it('is read from INFO', () => {
    expect(parseServerInfo(info({ aof_enabled: '1', maxmemory_policy: 'noeviction' }))).toEqual({
      kind: 'redis',
      version: '7.0.15',
      mode: 'standalone',
      role: 'master',
      masterHost: null,
      appendOnly: true,
      evictionPolicy: 'noeviction',
    });
    expect(parseServerInfo('')).toMatchObject({ version: null, mode: null, appendOnly: null, evictionPolicy: null });
    const valkey = parseServerInfo(info({ redis_version: '7.2.4', valkey_version: '8.1.0', server_mode: 'cluster' }));
    expect(valkey).toMatchObject({ kind: 'valkey', version: '8.1.0', mode: 'cluster' });
  });

  it.each(['5.0.14', '6.0.20', '6.1.9', '2.8'])('rules out Redis %s', (version) => {
    expect(causeOf({ redis_version: version })).toContain(version);
  });

  it.each(['6.2.0', '6.2.14', '7.0.15', '8.0.1', '10.0.0', '255.255.255'])('accepts Redis %s', (version) => {
    expect(causeOf({ redis_version: version })).toBeNull();
  });

  it('accepts every Valkey, whatever Redis it says it is', () => {
    expect(causeOf({ redis_version: '5.0.0', valkey_version: '8.1.0' })).toBeNull();
  });

  it('rules out nodes of a cluster, Sentinels and replicas, and names the master', () => {
    expect(causeOf({ redis_mode: 'cluster' })).toContain('Cluster');
    expect(causeOf({ redis_mode: 'sentinel' })).toContain('Sentinel');
    const replica = parseServerInfo(info({ role: 'slave', master_host: '10.0.0.7', master_port: '6379' }));
    expect(findUnfitness(replica)).toMatchObject({ hint: 'name its master, 10.0.0.7:6379' });
  });
});

describe('a real server', () => {
  async function check(settings: [string, string][]) {
    const server = await startRedisServer(settings);
    onTestFinished(server.stop);
    const redis = await openConnection({ url: server.socket });
    onTestFinished(() => redis.disconnect());
    return checkServer(redis, systemClock, { volatile: true });
  }

  it('is refused as a node of a cluster', async () => {
    const settings: [string, string][] = [
      ['port', String(await freePort())],
      ['cluster-enabled', 'yes'],
      ['cluster-port', String(await freePort())],
    ];
    await expect(check(settings)).rejects.toMatchObject({
      code: 'redis_unfit',
      hint: expect.stringContaining('alone'),
    });
  });

  it('is refused as a replica', async () => {
    const master = await freePort();
    await expect(check([['replicaof', `127.0.0.1 ${master}`]])).rejects.toMatchObject({
      code: 'redis_unfit',
      message: expect.stringContaining('READONLY'),
      hint: `name its master, 127.0.0.1:${master}`,
    });
  });
});

describe('an open server', () => {
  it.each([
    '/tmp/redis.sock',
    'redis://localhost',
    'redis://127.0.0.1:6379',
    'redis://127.1.2.3',
    'redis://[::1]:6379',
  ])('at %s stays on this machine', (url) => {
    expect(isLocalAddress(url)).toBe(true);
    expect(warnOpenServer({ url })).toBeNull();
  });

  it.each(['redis://10.0.0.7', 'redis://redis.internal:6379', 'redis://[fd00::1]', 'redis://127.0.0.1.example.com'])(
    'at %s is a warning, unless there is a password',
    (url) => {
      expect(isLocalAddress(url)).toBe(false);
      expect(warnOpenServer({ url })).toContain('without a password');
      expect(warnOpenServer({ url: url.replace('//', '//:password@') })).toBeNull();
    },
  );

  const outside = Object.values(networkInterfaces()).flat();
  const address = outside.find((one) => one?.family === 'IPv4' && !one.internal)?.address;
  if (address !== undefined)
    it('is told of when it answers under an address of the network', async () => {
      const port = await freePort();
      const server = await startRedisServer([
        ['port', String(port)],
        ['bind', address],
        ['protected-mode', 'no'],
      ]);
      onTestFinished(server.stop);
      const { openStore } = await import('../../src/producer/store.ts');
      const { createTestApp } = await import('../support/app.ts');
      const { config } = await createTestApp();
      const store = await openStore({ ...config, redisUrl: `redis://${address}:${port}` }, systemClock);
      onTestFinished(() => store.close());
      expect(store.check.warnings).toEqual([expect.stringContaining(`redis://${address}:${port} answers without`)]);
    });
});
