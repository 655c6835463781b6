/**
 * How V8 works for what runs for long and mostly waits: it looks for garbage earlier, since a worker makes many objects that
 * live for milliseconds, and the heap would grow to twice what is needed before anything is collected; and it compiles with
 * all its art only what works hard for long. Left alone it would in the end compile whatever is called now and then, for
 * hours, on the processors that Redis and the agents need, and keep 12 MB for it. A command that only reads a plan would take
 * a third longer. To be called before much is made; here, because a `#!` line takes no options everywhere.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';

/** Bytes of the young generation. With less, much is taken for old that is garbage a moment later; more is only kept. */
const YOUNG_ENOUGH = 8 * 1024 * 1024;
/** Bytes of bytecode that a function runs through before V8 thinks of compiling it again: 500 times V8's own number. */
const INTERRUPT_BUDGET = 64 * 1024 * 1024;

export function tuneEngine(): void {
  v8.setFlagsFromString('--heap-growing-percent=30');
  // Later versions have one compiler more between, and nobody has measured them.
  if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
  let factor = 2;
  // V8 takes a limit of the young generation only when it starts, but whether that grows it asks each time.
  const limitYoung = (): void => {
    const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    const wanted = (young?.space_size ?? 0) < YOUNG_ENOUGH ? 2 : 1;
    if (wanted !== factor) v8.setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
    factor = wanted;
  };
  new PerformanceObserver(limitYoung).observe({ entryTypes: ['gc'] });
}
