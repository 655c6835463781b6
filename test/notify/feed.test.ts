import { describe, expect, it, onTestFinished } from 'vitest';
import { parseEvent } from '../../src/events/codec.ts';
import { PATIENCE, type Patience } from '../../src/notify/deliver.ts';
import { Feed, type FeedOptions } from '../../src/notify/feed.ts';
import { type Notification, toNotification } from '../../src/notify/notification.ts';
import type { Receiver, Sent } from '../../src/notify/receiver.ts';
import { readRange } from '../../src/redis/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { NOTIFY_TYPES } from '../../src/runtime/notify-config.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';

const HASTY: Patience = { firstMs: 10, capMs: 20, limitMs: 200 };
const fine: Sent = { ok: true, message: 'fine' };
const down: Sent = { ok: false, message: 'down', isFinal: false };

interface Told {
  /** Runs of the notifications that were sent, each try. */
  runs: string[];
  receiver: Receiver;
}

function createReceiver(
  id: string,
  answer: (notification: Notification, stop: AbortSignal) => Sent | Promise<Sent>,
): Told {
  const runs: string[] = [];
  const send: Receiver['send'] = async (notification, stop) => {
    runs.push(notification.run!.id);
    return answer(notification, stop);
  };
  return { runs, receiver: { id, name: id, on: NOTIFY_TYPES, send } };
}

/** Starts a feed that ends with the test. */
async function startFeed(
  app: TestApp,
  { receiver }: Told,
  options: Partial<FeedOptions> & { holder?: string } = {},
): Promise<Feed> {
  const feed = new Feed({
    store: app.store,
    lease: app.store.notifyLease(receiver.id, options.holder ?? 'one'),
    receiver,
    clock: systemClock,
    random: () => 0.5,
    leaseMs: 1000,
    patience: HASTY,
    compose: async (event, type) => toNotification(event, type, null, '9.9.9'),
    warn: (message) => void app.warnings.push(message),
    onError: (error) => void app.warnings.push(String(error)),
    ...options,
  });
  onTestFinished(() => feed.stop());
  await feed.start();
  return feed;
}

async function happen(app: TestApp, run: string, type = 'run-completed', id = '*'): Promise<string> {
  return (await app.store.redis.xadd(app.store.keys.events, id, 'e', `${run}\t${type}`)) ?? '';
}

async function failures(app: TestApp) {
  const found = [];
  for await (const { id, fields } of readRange(app.store.redis, app.store.keys.events, { since: 0 }))
    if (fields.type === 'notify-failed') found.push(parseEvent(id, fields));
  return found;
}

const sawAll = (told: Told, ...runs: string[]): Promise<boolean> =>
  waitUntil(`told of ${runs.join(', ')}`, () => runs.every((run) => told.runs.includes(run)));

describe('a receiver', () => {
  it('is told in order of what happens from now on, not of what was before', async () => {
    const app = await createTestApp();
    const told = createReceiver('r', () => fine);
    await happen(app, 'before');
    await startFeed(app, told);
    for (const run of ['a', 'b', 'c']) await happen(app, run);
    await happen(app, 'a', 'run-started');
    await sawAll(told, 'c');
    expect(told.runs).toEqual(['a', 'b', 'c']);
  });

  it('is told by the next worker of what happened while there was none, once', async () => {
    const app = await createTestApp();
    const told = createReceiver('r', () => fine);
    const first = await startFeed(app, told);
    await happen(app, 'a');
    await sawAll(told, 'a');
    await first.stop();
    await happen(app, 'b');
    await startFeed(app, told, { holder: 'two' });
    await happen(app, 'c');
    await sawAll(told, 'c');
    expect(told.runs).toEqual(['a', 'b', 'c']);
  });

  it('is not told of what is older than a day, and the log says so', async () => {
    const app = await createTestApp();
    const told = createReceiver('r', () => fine);
    const now = systemClock.now();
    await happen(app, 'anchor', 'run-completed', `${now - 48 * 3600_000}-0`);
    await app.store.notifyLease('r', '').anchor();
    await happen(app, 'old', 'run-completed', `${now - 25 * 3600_000}-0`);
    await happen(app, 'young', 'run-completed', `${now - 23 * 3600_000}-0`);
    await startFeed(app, told);
    await sawAll(told, 'young');
    await waitUntil('the log says so', () => app.warnings.includes('did not notify r of what is older than a day'));
    expect(told.runs).toEqual(['young']);
  });

  it('hears what is left of a stream that was cut behind its back, and the log says so', async () => {
    const app = await createTestApp();
    const told = createReceiver('r', () => fine);
    await happen(app, 'anchor');
    await app.store.notifyLease('r', '').anchor();
    for (const run of ['lost', 'left']) await happen(app, run);
    await app.store.redis.xtrim(app.store.keys.events, 'MAXLEN', 1);
    await startFeed(app, told);
    await sawAll(told, 'left');
    expect(told.runs).toEqual(['left']);
    expect(app.warnings).toEqual([
      'events were dropped before r was told of them; going on from the oldest that is left',
    ]);
  });

  it('is told by one of many workers, and by another when that one is gone', async () => {
    const app = await createTestApp();
    const [one, two] = [createReceiver('r', () => fine), createReceiver('r', () => fine)];
    const first = await startFeed(app, one, { holder: 'one' });
    await happen(app, 'a');
    await sawAll(one, 'a');
    await startFeed(app, two, { holder: 'two' });
    await happen(app, 'b');
    await sawAll(one, 'b');
    await first.stop();
    await happen(app, 'c');
    await sawAll(two, 'c');
    expect([one.runs, two.runs]).toEqual([['a', 'b'], ['c']]);
  });

  it('is told by another worker when the one that has the lease says nothing any more', async () => {
    const app = await createTestApp();
    const told = createReceiver('r', () => fine);
    const lease = app.store.notifyLease('r', 'dead');
    expect((await lease.hold(500, undefined)).status).toBe('held');
    await startFeed(app, told, { holder: 'two' });
    await happen(app, 'a');
    await sawAll(told, 'a');
    expect(await lease.hold(500, '0-1')).toMatchObject({ status: 'taken' });
  });

  it('hears again of what was under way when its worker lost the lease', async () => {
    const app = await createTestApp();
    let wasStopped = false;
    const slow = createReceiver('r', async (_, stop) => {
      await new Promise((resolve) => stop.addEventListener('abort', resolve));
      wasStopped = true;
      return down;
    });
    const told = createReceiver('r', () => fine);
    await startFeed(app, slow, { holder: 'one' });
    await happen(app, 'a');
    await sawAll(slow, 'a');
    // As if it had been stopped for longer than its lease lasts.
    await app.store.redis.hset(`${app.store.keys.base}:notify:r`, 'holder', 'two', 'until', systemClock.now() + 1000);
    await startFeed(app, told, { holder: 'two' });
    await sawAll(told, 'a');
    await waitUntil('the first has let go', () => wasStopped);
    expect([slow.runs, told.runs]).toEqual([['a'], ['a']]);
  });

  it('that is broken is told again, then given up with an event and a warning; the next one is tried', async () => {
    const app = await createTestApp();
    const told = createReceiver('r', ({ run }) => (run!.id === 'bad' ? down : fine));
    await startFeed(app, told);
    await happen(app, 'bad');
    await happen(app, 'good');
    await sawAll(told, 'good');
    expect(told.runs.filter((run) => run === 'bad').length).toBeGreaterThan(3);
    const [event] = await failures(app);
    expect(event).toMatchObject({
      run: 'bad',
      notify: 'completed',
      to: 'r',
      reason: expect.stringMatching(/^down after \d+ tries$/),
    });
    expect(app.warnings).toEqual([
      'could not notify r, trying again: down',
      expect.stringMatching(/^could not notify r and gave up: down after \d+ tries$/),
    ]);
  });

  it('that is broken or slow keeps no other waiting', async () => {
    const app = await createTestApp();
    const broken = createReceiver('broken', () => down);
    const slow = createReceiver(
      'slow',
      (_, stop) => new Promise((resolve) => stop.addEventListener('abort', () => resolve(down))),
    );
    const told = createReceiver('r', () => fine);
    await startFeed(app, broken, { patience: PATIENCE });
    const feed = await startFeed(app, slow);
    await startFeed(app, told);
    for (const run of ['a', 'b']) await happen(app, run);
    await sawAll(told, 'b');
    expect([broken.runs, slow.runs]).toEqual([['a'], ['a']]);
    feed.hurry();
  });

  it('is told before its worker ends of what has happened by then, and later of what it did not take', async () => {
    const app = await createTestApp();
    let isUp = true;
    const told = createReceiver('r', () => (isUp ? fine : down));
    const first = await startFeed(app, told, { patience: PATIENCE });
    for (const run of ['a', 'b', 'c']) await happen(app, run);
    await first.stop();
    expect(told.runs).toEqual(['a', 'b', 'c']);
    const second = await startFeed(app, told, { patience: PATIENCE });
    isUp = false;
    await happen(app, 'd');
    await sawAll(told, 'd');
    await second.stop();
    const tries = told.runs.length;
    isUp = true;
    await startFeed(app, told);
    await waitUntil('it is told again', () => told.runs.length > tries);
    expect(told.runs.slice(tries)).toEqual(['d']);
    expect(await failures(app)).toEqual([]);
  });
});

it('a cursor does not go back', async () => {
  const app = await createTestApp();
  const lease = app.store.notifyLease('r', 'one');
  await lease.hold(1000, '9-10');
  expect((await lease.hold(1000, '9-9')).cursor).toBe('9-10');
  expect((await lease.hold(1000, '10-0')).cursor).toBe('10-0');
});
