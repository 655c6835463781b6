/**
 * What an attempt may use, and what holds it to that. Made by `cgroup.ts` or `measured.ts`, chosen by `limiter.ts`.
 */
import { formatSize } from '../runtime/size.ts';
import type { ProcessInfo } from './proc.ts';

export interface ResourceLimits {
  /** Processors, may be a fraction. */
  cpus: number;
  memoryBytes: number;
}

/** What one attempt is held by. */
export interface Limit {
  /** Puts a process, and all that it starts from now on, under the limit. @throws when the system refuses */
  admit(pid: number): void;
  /**
   * Takes a look at the attempt's processes when one is due.
   * @param members asked only then
   * @returns why the attempt must end; undefined while it may go on
   */
  look(members: (maxAgeMs: number) => readonly ProcessInfo[]): string | undefined;
  /** Why the attempt's processes were killed by the limit itself; undefined when they were not. */
  verdict(): Promise<string | undefined>;
  /** To be called when all its processes are gone. */
  close(): Promise<void>;
}

/** Why an attempt was ended for its memory: `Memory limit of 8 GB exceeded (9.1 GB)`. */
export function memoryReason({ memoryBytes }: ResourceLimits, usedBytes?: number): string {
  const used = usedBytes === undefined ? '' : ` (${formatSize(usedBytes)})`;
  return `Memory limit of ${formatSize(memoryBytes)} exceeded${used}`;
}
