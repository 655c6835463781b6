import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testNotification } from '../../src/notify/notification.ts';
import type { Sent } from '../../src/notify/receiver.ts';
import type { Resolve } from '../../src/notify/resolve.ts';
import { createWebhook, type WebhookTools } from '../../src/notify/webhook.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { CA, type HookServer, startHookServer } from '../support/hook-server.ts';

const SECRET = 'correct horse';
const notification = testNotification('abc', 0, '9.9.9');
const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
const never = new AbortController().signal;

function send(url: string, allowHosts: string[], tools: Partial<WebhookTools> = {}, signal = never): Promise<Sent> {
  const receiver = createWebhook({ on: ['failed'], webhook: url, secretEnv: null, allowHosts }, 'hook', {
    clock: systemClock,
    secret: SECRET,
    version: '9.9.9',
    ca: CA,
    resolve: local,
    ...tools,
  });
  return receiver.send(notification, signal);
}

const toServer = ({ port }: HookServer, tools: Partial<WebhookTools> = {}): Promise<Sent> =>
  send(`https://hooks.test:${port}/in?a=1`, ['hooks.test'], tools);

describe('a delivery', () => {
  it('is JSON whose signature the receiver can verify', async () => {
    const server = await startHookServer();
    expect(await toServer(server)).toEqual({ ok: true, message: 'answered 200' });
    const [hook] = server.hooks;
    expect(hook?.path).toBe('/in?a=1');
    expect(JSON.parse(hook!.body)).toEqual(notification);
    expect(hook?.headers).toMatchObject({
      host: `hooks.test:${server.port}`,
      'content-type': 'application/json',
      'user-agent': 'planq/9.9.9',
      'planq-delivery': 'test-abc',
    });
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(hook?.headers['planq-signature']))!;
    expect(mac).toBe(createHmac('sha256', SECRET).update(`${seconds}.${hook!.body}`).digest('hex'));
    expect(Math.abs(Number(seconds) * 1000 - systemClock.now())).toBeLessThan(10_000);
  });

  it('is not signed without a secret', async () => {
    const server = await startHookServer();
    await toServer(server, { secret: null });
    expect(server.hooks[0]?.headers).not.toHaveProperty('planq-signature');
  });

  it('goes in clear to an allowed host alone', async () => {
    const server = await startHookServer({ isPlain: true });
    expect((await send(`http://hooks.test:${server.port}/`, ['hooks.test'])).ok).toBe(true);
  });

  it('is refused to a host whose certificate nobody knows', async () => {
    const server = await startHookServer();
    const sent = await toServer(server, { ca: undefined });
    expect(sent).toMatchObject({
      ok: false,
      isFinal: false,
      message: expect.stringMatching(/cannot reach hooks\.test.*certificate/),
    });
    expect(server.hooks).toEqual([]);
  });

  it('is refused to a host whose certificate is for another name', async () => {
    const server = await startHookServer();
    const sent = await send(`https://other.test:${server.port}/`, ['other.test']);
    expect([sent.ok, sent.message]).toEqual([false, expect.stringContaining("does not match certificate's altnames")]);
  });

  it('is tried again after any other answer, with what the receiver said', async () => {
    const server = await startHookServer();
    server.answer = (response) => void response.writeHead(503).end('come\nback\u001b[31m later');
    expect(await toServer(server)).toEqual({
      ok: false,
      message: 'answered 503: come back [31m later',
      isFinal: false,
    });
  });

  it('does not follow a redirect', async () => {
    const inside = await startHookServer({ isPlain: true });
    const server = await startHookServer();
    server.answer = (response) => void response.writeHead(307, { location: `http://127.0.0.1:${inside.port}/` }).end();
    expect(await toServer(server)).toEqual({
      ok: false,
      message: 'answered 307: redirects are not followed',
      isFinal: true,
    });
    expect(inside.hooks).toEqual([]);
  });

  it('is over when nothing is answered in time', async () => {
    const server = await startHookServer();
    server.answer = () => undefined;
    expect(await toServer(server, { timeoutMs: 300 })).toEqual({
      ok: false,
      message: 'no answer within 0.3 s',
      isFinal: false,
    });
  });

  it('is over when a name is not resolved in time', async () => {
    const resolve: Resolve = () => new Promise(() => undefined);
    expect(await send('https://hooks.test/', [], { resolve, timeoutMs: 50 })).toMatchObject({
      message: 'no answer within 0.05 s',
    });
  });

  it('reads 64 KB of an answer that never ends, and no more', async () => {
    const server = await startHookServer();
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      server.answer = (response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(1024))) sent += 1024;
        };
        response.on('drain', more).on('close', resolve);
        more();
      };
    });
    expect(await toServer(server, { timeoutMs: 20_000 })).toEqual({ ok: true, message: 'answered 200' });
    await closed;
    // Besides what was read, the kernel's buffers of both ends.
    expect(sent).toBeLessThan(20_000_000);
  });

  it('counts by its status when the answer drips on until the time is over', async () => {
    const server = await startHookServer();
    server.answer = (response) => void response.write('x');
    expect(await toServer(server, { timeoutMs: 300 })).toEqual({ ok: true, message: 'answered 200' });
  });

  it('ends at once when it is told to', async () => {
    const server = await startHookServer();
    const stop = new AbortController();
    server.answer = () => stop.abort();
    const sent = await send(`https://hooks.test:${server.port}/`, ['hooks.test'], {}, stop.signal);
    expect(sent).toMatchObject({ ok: false, message: 'stopped' });
  });
});

describe('a name', () => {
  it.each([
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['100.100.100.200'],
    ['fd00::1'],
    ['8.8.8.8', '127.0.0.1'],
    ['2606:4700::1111', 'fe80::1'],
  ])('that leads to %s %s is refused for good', async (...addresses) => {
    const server = await startHookServer();
    const resolve: Resolve = async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const sent = await send(`https://hooks.test:${server.port}/`, [], { resolve });
    expect(sent).toMatchObject({ ok: false, isFinal: true, message: expect.stringContaining('internal address') });
    expect(server.hooks).toEqual([]);
  });

  it('is asked for once, and what it meant then is connected to', async () => {
    const first = await startHookServer();
    const second = await startHookServer({ host: '127.0.0.2', port: first.port });
    const asked: string[] = [];
    const resolve: Resolve = async (host) => {
      asked.push(host);
      return [{ address: `127.0.0.${asked.length}`, family: 4 }];
    };
    expect((await toServer(first, { resolve })).ok).toBe(true);
    expect([asked, first.hooks.length, second.hooks.length]).toEqual([['hooks.test'], 1, 0]);
  });

  it('that nobody knows is tried again', async () => {
    const resolve: Resolve = () => Promise.reject(new Error('ENOTFOUND'));
    expect(await send('https://hooks.test/', [], { resolve })).toEqual({
      ok: false,
      message: 'cannot find hooks.test: ENOTFOUND',
      isFinal: false,
    });
  });
});

it.each([
  '2130706433',
  '0x7f.1',
  '017700000001',
  '127.1',
  '0',
  'localhost',
  '[::]',
  '[::ffff:7f00:1]',
  '[fe80::1]',
  '[fd00::1]',
  '169.254.169.254',
  '100.100.100.200',
  '10.0.0.1',
  '192.168.0.1',
  '172.16.0.1',
])('https://%s/ is refused also where the configuration did not look', async (host) => {
  const sent = await send(`https://${host}/`, []);
  expect(sent).toMatchObject({ ok: false, isFinal: true, message: expect.stringContaining('internal address') });
});
