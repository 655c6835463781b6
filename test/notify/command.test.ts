import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandTools, createCommand } from '../../src/notify/command.ts';
import { type Notification, testNotification } from '../../src/notify/notification.ts';
import type { Sent } from '../../src/notify/receiver.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { isAlive, readPid, waitUntil, waitUntilGone } from '../support/processes.ts';

const never = new AbortController().signal;

describe('a command', () => {
  let cwd: string;
  let said: string[];
  beforeEach(async () => {
    cwd = await mkdtemp(path.join(tmpdir(), 'planq-notify-'));
    said = [];
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  const notification: Notification = {
    ...testNotification('abc', 0, '9.9.9'),
    run: {
      id: 'r1',
      name: 'Evil $(touch canary) `touch canary` "; touch canary; \'\0',
      state: 'blocked',
      createdAt: null,
      startedAt: null,
      finishedAt: null,
      counts: {} as never,
    },
    blocked: ['a', 'b'],
  };
  const send = (
    command: string,
    tools: Partial<CommandTools> = {},
    signal = never,
    told = notification,
  ): Promise<Sent> =>
    createCommand({ on: ['failed'], command }, 'notify[0] (command)', {
      clock: systemClock,
      cwd,
      env: { PATH: process.env.PATH, REDIS_URL: 'redis://secret', HOOK_SECRET: 'secret', TEAM: 'blue' },
      passEnv: ['TEAM'],
      graceMs: 200,
      debug: (message) => void said.push(message),
      ...tools,
    }).send(told, signal);
  const read = (name: string): Promise<string> => readFile(path.join(cwd, name), 'utf8');

  it('finds the notification on its stdin, in the project folder', async () => {
    expect(await send('cat > got')).toEqual({ ok: true, message: 'exit code 0' });
    expect(JSON.parse(await read('got'))).toEqual(notification);
  });

  it('finds it in variables too, besides what agents may see, and nothing else of the worker', async () => {
    await send('env > got');
    const env = Object.fromEntries(
      (await read('got'))
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s)),
    );
    expect(env).toMatchObject({
      PLANQ_NOTIFY: 'test',
      PLANQ_NOTIFY_ID: 'test-abc',
      PLANQ_RUN_ID: 'r1',
      PLANQ_RUN_STATE: 'blocked',
      PLANQ_TEXT: 'planq: this is a test notification',
      PLANQ_BLOCKED: 'a',
      TEAM: 'blue',
    });
    expect(env).not.toHaveProperty('REDIS_URL');
    expect(env).not.toHaveProperty('HOOK_SECRET');
  });

  it('is the line as it is written: nothing of a run is put into it', async () => {
    await send('printf "%s" "$PLANQ_RUN_NAME" > got');
    expect(await read('got')).toBe(notification.run!.name.replace('\0', ''));
    await expect(read('canary')).rejects.toThrow();
  });

  it('that says something is heard on demand only', async () => {
    await send('echo hello; echo there >&2');
    expect(said).toEqual([expect.stringMatching(/^notify\[0\] \(command\) said: (hello\nthere|there\nhello)\n$/)]);
  });

  it.each([
    ['echo no such channel >&2; exit 3', 'exit code 3: no such channel'],
    ['kill -9 $$', 'ended by SIGKILL'],
  ])('has failed when it ends with anything but 0: %s', async (line, message) => {
    expect(await send(line)).toEqual({ ok: false, message, isFinal: false });
  });

  it('has failed when its folder is not there', async () => {
    const sent = await send('true', { cwd: path.join(cwd, 'gone') });
    expect(sent).toMatchObject({ ok: false, message: expect.stringContaining('cannot start it') });
  });

  it('that does not read is no mistake, however much there is to read', async () => {
    const run = { ...notification.run!, name: 'x'.repeat(1_000_000) };
    expect(await send('echo "${#PLANQ_RUN_NAME}" > got', {}, never, { ...notification, run })).toMatchObject({
      ok: true,
    });
    expect(Number(await read('got'))).toBeLessThan(4100);
  });

  it('is stopped with all that it started when its time is up', async () => {
    const line = "trap '' TERM; sleep 60 & echo $! > child; echo $$ > own; wait; wait";
    const sending = send(line, { timeoutMs: 400 });
    const own = await waitUntil('it runs', () => readPid(path.join(cwd, 'own')));
    const child = await waitUntil('its child runs', () => readPid(path.join(cwd, 'child')));
    expect([own, child].every(isAlive)).toBe(true);
    expect(await sending).toEqual({ ok: false, message: 'not done within 0.4 s', isFinal: false });
    await waitUntilGone([own, child], 100);
  });

  it('is stopped when its worker ends', async () => {
    const stop = new AbortController();
    const sending = send('echo $$ > own; sleep 60', {}, stop.signal);
    const own = await waitUntil('it runs', () => readPid(path.join(cwd, 'own')));
    stop.abort();
    expect(await sending).toMatchObject({ ok: false, message: 'stopped' });
    await waitUntilGone([own], 100);
  });

  it('leaves nothing running, and does not wait for what holds its output', async () => {
    const startedAt = systemClock.monotonic();
    expect((await send('sleep 60 & echo $! > child')).ok).toBe(true);
    expect(systemClock.monotonic() - startedAt).toBeLessThan(5000);
    await waitUntilGone([readPid(path.join(cwd, 'child'))!], 100);
  });

  it('is under guard while it runs, so that it ends with its worker', async () => {
    const acts: string[] = [];
    const guardian = {
      lease: ({ id }: { id: string }) => void acts.push(`lease ${id}`),
      drop: (id: string) => void acts.push(`drop ${id}`),
    };
    await send('true', { guardian });
    expect(acts).toEqual([expect.stringMatching(/^lease /), acts[0]!.replace('lease', 'drop')]);
  });
});
