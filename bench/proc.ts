/** What Linux tells of a process: processor time and memory. */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks in a second: 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Milliseconds of processor time, user and system; in steps of 10 ms. */
export function cpuMs(pid: number): number {
  const [user, system] = afterName(pid).slice(11, 13).map(Number);
  return ((user! + system!) * 1000) / TICKS;
}

/** The process and all that it has started and that still live. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(afterName(Number(name))[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isOurs = (one: number): boolean => one === pid || (parents.has(one) && isOurs(parents.get(one)!));
  return [...parents.keys()].filter(isOurs);
}

/** Bytes that are in memory now, and the most that ever were. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

/** The fields of /proc/<pid>/stat after the name, which may hold spaces. */
function afterName(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
