import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/runtime/service.ts';
import { createTicker, type PeriodicTask } from '../../src/runtime/ticker.ts';
import { createFakeClock, type FakeClock } from '../support/clock.ts';

describe('the ticker', () => {
  let clock: FakeClock;
  let errors: string[];
  let ticker: Service;
  const create = (tasks: PeriodicTask[], random = () => 0.5): Service => {
    ticker = createTicker(tasks, {
      clock,
      random,
      onError: (name, error) => errors.push(`${name}: ${String(error)}`),
    });
    return ticker;
  };
  beforeEach(() => {
    clock = createFakeClock({ now: 0 });
    errors = [];
  });
  afterEach(() => ticker.stop());

  it('runs first after a share of the interval, then once an interval', async () => {
    const runs: number[] = [];
    await create([{ name: 'beat', intervalMs: 100, runOnce: async (now) => void runs.push(now) }], () => 0.3).start();
    await clock.advance(29);
    expect(runs).toEqual([]);
    await clock.advance(301);
    expect(runs).toEqual([30, 130, 230, 330]);
  });

  it('keeps the tasks of a list apart', async () => {
    const runs: string[] = [];
    const task = (name: string, intervalMs: number): PeriodicTask => ({
      name,
      intervalMs,
      runOnce: async (now) => void runs.push(`${name}@${now}`),
    });
    await create([task('fast', 10), task('slow', 30)], () => 0).start();
    await clock.advance(30);
    expect(runs).toEqual(['fast@0', 'slow@0', 'fast@10', 'fast@20', 'slow@30', 'fast@30']);
  });

  it('tells of a failure and goes on', async () => {
    let runs = 0;
    const runOnce = async (): Promise<void> => {
      runs++;
      if (runs === 1) throw new Error('no luck');
    };
    await create([{ name: 'sweep', intervalMs: 10, runOnce }]).start();
    await clock.advance(25);
    expect(runs).toBe(3);
    expect(errors).toEqual(['sweep: Error: no luck']);
  });

  it('never runs a task beside itself: the interval counts from its end', async () => {
    const starts: number[] = [];
    const runOnce = async (now: number): Promise<void> => {
      starts.push(now);
      await clock.sleep(25);
    };
    await create([{ name: 'slow', intervalMs: 10, runOnce }], () => 0).start();
    await clock.advance(100);
    expect(starts).toEqual([0, 35, 70]);
  });

  it('waits for a pass under way when it is stopped, and starts no other', async () => {
    let finish = (): void => {};
    let runs = 0;
    const runOnce = (): Promise<void> => {
      runs++;
      return new Promise((resolve) => {
        finish = resolve;
      });
    };
    await create([{ name: 'slow', intervalMs: 10, runOnce }], () => 0).start();
    await clock.advance(0);
    let isStopped = false;
    const stopping = ticker.stop().then(() => {
      isStopped = true;
    });
    await clock.advance(100);
    expect({ runs, isStopped }).toEqual({ runs: 1, isStopped: false });
    finish();
    await stopping;
    await clock.advance(100);
    expect(runs).toBe(1);
  });

  it('may be stopped before it starts, and twice; it does not sleep on', async () => {
    await create([{ name: 'beat', intervalMs: 10, runOnce: async () => {} }]).stop();
    await create([{ name: 'beat', intervalMs: 10, runOnce: async () => {} }]).start();
    expect(clock.sleepers).toBe(1);
    await ticker.stop();
    await ticker.stop();
    expect(clock.sleepers).toBe(0);
  });
});
