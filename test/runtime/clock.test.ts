import { describe, expect, it } from 'vitest';
import { systemClock, toIso, toIsoOrNull } from '../../src/runtime/clock.ts';
import { createFakeClock, FAKE_NOW } from '../support/clock.ts';

describe('the system clock', () => {
  it('tells wall time in epoch milliseconds', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });

  it('never goes back when it measures', () => {
    const readings = Array.from({ length: 1000 }, () => systemClock.monotonic());
    expect(readings).toEqual([...readings].sort((a, b) => a - b));
  });

  it('sleeps no shorter than asked', async () => {
    const start = systemClock.monotonic();
    await systemClock.sleep(20);
    expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(19);
  });

  it('wakes without an error when the signal aborts, before or during the sleep', async () => {
    await systemClock.sleep(3_600_000, AbortSignal.abort());
    const controller = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, controller.signal);
    controller.abort(new Error('the reason is not the sleeper’s business'));
    await expect(sleeping).resolves.toBeUndefined();
  });
});

describe('times at the rim', () => {
  it('are ISO 8601 in UTC with milliseconds', () => {
    expect(toIso(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(toIso(FAKE_NOW + 5)).toBe('2026-01-01T00:00:00.005Z');
  });

  it('are null while they are not known, and zero is known', () => {
    expect(toIsoOrNull(null)).toBeNull();
    expect(toIsoOrNull(undefined)).toBeNull();
    expect(toIsoOrNull(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('the fake clock', () => {
  it('stands still until it is advanced', async () => {
    const clock = createFakeClock({ now: 1000 });
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  });

  it('wakes sleepers in the order of time, each at its own instant', async () => {
    const clock = createFakeClock({ now: 0 });
    const woke: string[] = [];
    const nap = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woke.push(`${name}@${clock.now()}`);
    };
    void nap('late', 30);
    void nap('early', 10);
    void nap('never', 31);
    await clock.advance(30);
    expect(woke).toEqual(['early@10', 'late@30']);
    expect(clock.sleepers).toBe(1);
  });

  it('lets a loop sleep again within one advance', async () => {
    const clock = createFakeClock({ now: 0 });
    const ticks: number[] = [];
    void (async () => {
      while (ticks.length < 5) {
        await clock.sleep(10);
        ticks.push(clock.now());
      }
    })();
    await clock.advance(35);
    expect(ticks).toEqual([10, 20, 30]);
  });

  it('forgets a sleeper whose signal aborts', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    expect(clock.sleepers).toBe(1);
    controller.abort();
    await sleeping;
    await clock.sleep(10, controller.signal);
    expect(clock.sleepers).toBe(0);
  });

  it('jumps in wall time without waking anybody', async () => {
    const clock = createFakeClock({ now: 1000 });
    void clock.sleep(10);
    clock.jump(-500);
    expect([clock.now(), clock.monotonic(), clock.sleepers]).toEqual([500, 0, 1]);
  });
});
