/**
 * A limit without the kernel's help: adds up what an attempt's processes hold and have worked. A guard, not a wall: what
 * is taken between two looks is seen only by the second. Pages that processes share count for each of them.
 */
import type { Clock } from '../runtime/clock.ts';
import { type Limit, memoryReason, type ResourceLimits } from './limit.ts';
import { type ProcessInfo, rssBytesOf } from './proc.ts';

/** Between two looks: while memory grows or more than half is used, and otherwise. */
const CLOSE_MS = 250;
const CALM_MS = 2000;

/** Less than this is no growth. */
const GROWTH_BYTES = 1_000_000;

/** The time over which processors are counted; short bursts are nobody's business. */
const CPU_WINDOW_MS = 60_000;
const TICK_MS = 10;

export interface MeasuredOptions {
  limits: ResourceLimits;
  clock: Clock;
  warn(message: string): void;
  /** For tests: what a process holds. */
  bytesOf?(pid: number): number;
}

/** A limit that is looked after by its owner: nothing happens between two calls of `look`. */
export function openMeasured({ limits, clock, warn, bytesOf = rssBytesOf }: MeasuredOptions): Limit {
  let dueAt = clock.monotonic();
  let last = 0;
  const watchCpu = createCpuWatch(limits, clock, warn);
  return {
    admit: () => undefined,
    look: (membersOf) => {
      const now = clock.monotonic();
      if (now < dueAt) return undefined;
      const members = membersOf(CLOSE_MS / 2);
      const used = members.reduce((sum, { pid }) => sum + bytesOf(pid), 0);
      const isClose = used - last >= GROWTH_BYTES || used > limits.memoryBytes / 2;
      last = used;
      dueAt = now + (isClose ? CLOSE_MS : CALM_MS);
      watchCpu(members);
      return used > limits.memoryBytes ? memoryReason(limits, used) : undefined;
    },
    verdict: async () => undefined,
    close: async () => undefined,
  };
}

/** Warns once of an attempt that used more than its processors for a whole window. */
function createCpuWatch(
  { cpus }: ResourceLimits,
  clock: Clock,
  warn: (message: string) => void,
): (members: readonly ProcessInfo[]) => void {
  let since = clock.monotonic();
  let ticksThen = 0;
  let hasWarned = false;
  return (members) => {
    const ticks = members.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0);
    const spentMs = clock.monotonic() - since;
    if (hasWarned || spentMs < CPU_WINDOW_MS) return;
    const used = ((ticks - ticksThen) * TICK_MS) / spentMs;
    since = clock.monotonic();
    ticksThen = ticks;
    if (used <= cpus) return;
    hasWarned = true;
    warn(`uses ${used.toFixed(1)} processors, more than its ${cpus}; not limited on this machine`);
  };
}
