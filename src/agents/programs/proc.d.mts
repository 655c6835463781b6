/** Types of `proc.mjs`. */

/** A process, safe against reuse of its number. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat, clock ticks since boot; '' where there is no /proc. */
  startTime: string;
}

export interface ProcessInfo extends ProcessIdentity {
  ppid: number;
  pgid: number;
  session: number;
  /** One letter: R running, S sleeping, D waiting for a disk, T stopped, Z zombie, … */
  state: string;
  /** Of itself and its waited-for children, in clock ticks (10 ms). */
  cpuTicks: number;
  threads: number;
}

export const HAS_PROC: boolean;
export const MARKER: 'PLANQ_ATTEMPT_TOKEN';
export function parseStat(text: string): ProcessInfo | undefined;
export function readProcess(pid: number): ProcessInfo | undefined;
export function startTimeOf(pid: number): string | undefined;
export function isLive(info: ProcessInfo): boolean;
export function isAlive(identity: ProcessIdentity): boolean;
export function listProcesses(): ProcessInfo[];
export function descendantsOf(pid: number, table: readonly ProcessInfo[]): ProcessInfo[];
export function childrenOf(pid: number): number[];
export function namespaceOf(pid: number | 'self', link?: 'pid' | 'pid_for_children'): string | undefined;
export function environmentOf(pid: number | 'self'): Map<string, string> | undefined;
export function carriesToken(pid: number, token: string): boolean;
export function writesTo(pid: number, file: string): boolean;
export function isNamelessIn(pid: number, folder: string): boolean;
export function ioOf(pid: number): { rchar: number; wchar: number } | undefined;
export function rssBytesOf(pid: number): number;
