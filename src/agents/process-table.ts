/**
 * One look at all processes, shared by all watches of a worker: ten quiet agents cost one pass over /proc, not ten.
 * Only for watching; whoever sends signals looks for himself.
 */
import type { Clock } from '../runtime/clock.ts';
import { listProcesses, type ProcessInfo } from './proc.ts';

export interface ProcessTable {
  /** All processes, as they were at most `maxAgeMs` ago. */
  read(maxAgeMs: number): readonly ProcessInfo[];
}

/** A table that remembers its last pass. */
export function createProcessTable(clock: Clock): ProcessTable {
  let table: readonly ProcessInfo[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    read: (maxAgeMs) => {
      if (clock.monotonic() - readAt > maxAgeMs) {
        table = listProcesses();
        readAt = clock.monotonic();
      }
      return table;
    },
  };
}
