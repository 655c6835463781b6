/**
 * Periodic work has one shape: a name, an interval and `runOnce`. The next run is set when the last one has ended, so a
 * slow pass never overlaps itself. The start is jittered, so that many workers do not tick together.
 */
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';
import type { Service } from './service.ts';

export interface PeriodicTask {
  name: string;
  intervalMs: number;
  runOnce(now: number): Promise<void>;
}

export interface TickerOptions {
  clock: Clock;
  random: Random;
  /** Called with what `runOnce` threw; the ticker goes on. */
  onError(name: string, error: unknown): void;
}

/** Makes a service out of a list of periodic tasks. */
export function createTicker(tasks: readonly PeriodicTask[], options: TickerOptions): Service {
  const controller = new AbortController();
  let loops: Promise<void>[] = [];
  const loop = async (task: PeriodicTask): Promise<void> => {
    await options.clock.sleep(task.intervalMs * options.random(), controller.signal);
    while (!controller.signal.aborted) {
      try {
        await task.runOnce(options.clock.now());
      } catch (error) {
        options.onError(task.name, error);
      }
      await options.clock.sleep(task.intervalMs, controller.signal);
    }
  };
  return {
    start: async () => {
      loops = tasks.map(loop);
    },
    stop: async () => {
      controller.abort();
      await Promise.all(loops);
    },
  };
}
