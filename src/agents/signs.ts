/**
 * Signs of life of an agent that prints nothing: files that change, processor time, bytes read and written.
 */
import { fingerprint } from './folder-print.ts';
import type { Members } from './members.ts';
import { ioOf, type ProcessInfo } from './proc.ts';

export interface Signs {
  /**
   * True when something changed since the last sign.
   * @param quietMs milliseconds since the last sign of any kind
   */
  look(quietMs: number): Promise<boolean>;
}

export interface SignsOptions {
  /** Absolute paths that the agent may write to. */
  paths: readonly string[];
  members: Pick<Members, 'look'>;
  /** How old a look at the processes may be, in milliseconds. */
  maxAgeMs: number;
}

/** A clock tick of /proc, in milliseconds (USER_HZ is 100 on all systems that matter). */
const TICK_MS = 10;
/** Part of the quiet time that must have been spent working: timers of an idle program cost less. */
const BUSY_SHARE = 0.01;
const MIN_TICKS = 2;
/** A program that only waits reads a few bytes now and then, to wake its own threads. */
const MIN_IO_BYTES = 1024;
/** A shell that polls with `sleep 1` reads some kilobytes a second, to start it: bytes a second that are no work. */
const IDLE_BYTES_PER_SECOND = 32 * 1024;

interface Use {
  ticks: number;
  bytes: number;
}

/** Starts from the present state: what happened before is no sign. */
export async function createSigns(options: SignsOptions): Promise<Signs> {
  let print = await fingerprint(options.paths);
  let use: Use = { ticks: 0, bytes: 0 };
  const hasWorked = (now: Use, quietMs: number): boolean =>
    now.ticks - use.ticks >= Math.max(MIN_TICKS, (quietMs * BUSY_SHARE) / TICK_MS) ||
    now.bytes - use.bytes >= Math.max(MIN_IO_BYTES, (quietMs / 1000) * IDLE_BYTES_PER_SECOND);
  const look = async (quietMs: number): Promise<boolean> => {
    const useNow = useOf(options.members.look(options.maxAgeMs));
    const printNow = await fingerprint(options.paths);
    if (printNow === print && !hasWorked(useNow, quietMs)) {
      use = lower(use, useNow);
      return false;
    }
    print = printNow;
    use = useNow;
    return true;
  };
  return { look };
}

/** What a branch that has left took with it must not hide the work of those who stay. */
function lower(a: Use, b: Use): Use {
  return { ticks: Math.min(a.ticks, b.ticks), bytes: Math.min(a.bytes, b.bytes) };
}

/** Time and bytes of children that have ended are their parents', so the sums only fall when a whole branch leaves. */
function useOf(members: readonly ProcessInfo[]): Use {
  const use: Use = { ticks: 0, bytes: 0 };
  for (const { pid, cpuTicks } of members) {
    const io = ioOf(pid);
    use.ticks += cpuTicks;
    use.bytes += (io?.rchar ?? 0) + (io?.wchar ?? 0);
  }
  return use;
}
