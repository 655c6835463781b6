import { describe, expect, it } from 'vitest';
import { type Delivered, deliver, PATIENCE, retryDelay } from '../../src/notify/deliver.ts';
import { testNotification } from '../../src/notify/notification.ts';
import type { Receiver, Sent } from '../../src/notify/receiver.ts';
import { createFakeClock } from '../support/clock.ts';

const down: Sent = { ok: false, message: 'down', isFinal: false };

function setUp(answer: (tries: number) => Sent) {
  const clock = createFakeClock();
  const [stop, quiet] = [new AbortController(), new AbortController()];
  const at: number[] = [];
  const send: Receiver['send'] = async () => {
    at.push(clock.monotonic());
    return answer(at.length);
  };
  const receiver: Receiver = { id: 'r', name: 'r', on: [], send };
  const tools = { clock, random: () => 0.5, patience: PATIENCE, stop: stop.signal, quiet: quiet.signal };
  let end: Delivered | undefined;
  const run = (): void => void deliver(receiver, testNotification('a', 0, '1'), tools).then((value) => (end = value));
  return { clock, stop, quiet, at, run, end: () => end };
}

describe('a notification that is not taken', () => {
  it('is sent again after 1, 2, 4 … at most 60 seconds, for ten minutes, and then given up', async () => {
    const { clock, at, run, end } = setUp(() => down);
    run();
    await clock.advance(3600_000);
    expect(end()).toEqual({ kind: 'given-up', message: 'down', tries: at.length });
    expect(at.slice(0, 8)).toEqual([0, 1, 3, 7, 15, 31, 63, 123].map((seconds) => seconds * 1000));
    expect(at.at(-1)).toBeGreaterThan(9 * 60_000);
    expect(at.at(-1)).toBeLessThanOrEqual(10 * 60_000);
  });

  it('is sent no more once it was taken', async () => {
    const { clock, at, run, end } = setUp((tries) => (tries < 3 ? down : { ok: true, message: 'fine' }));
    run();
    await clock.advance(3600_000);
    expect([end(), at.length]).toEqual([{ kind: 'sent' }, 3]);
  });

  it('is given up at once when another try would end the same', async () => {
    const { clock, at, run, end } = setUp(() => ({ ...down, isFinal: true }));
    run();
    await clock.advance(0);
    expect([end(), at.length]).toEqual([{ kind: 'given-up', message: 'down', tries: 1 }, 1]);
  });

  it('is left for another time when its worker ends', async () => {
    const { clock, quiet, at, run, end } = setUp(() => down);
    run();
    await clock.advance(500);
    quiet.abort();
    await clock.advance(0);
    expect([end(), at.length]).toEqual([{ kind: 'left' }, 1]);
  });

  it('has one try while its worker ends', async () => {
    const { clock, quiet, at, run, end } = setUp(() => down);
    quiet.abort();
    run();
    await clock.advance(10_000);
    expect([end(), at.length]).toEqual([{ kind: 'left' }, 1]);
  });
});

it('waits differ by a quarter either way', () => {
  expect([retryDelay(1, PATIENCE, () => 0), retryDelay(1, PATIENCE, () => 1)]).toEqual([750, 1250]);
  expect(retryDelay(40, PATIENCE, () => 1)).toBe(75_000);
});
