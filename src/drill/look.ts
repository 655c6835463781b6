/** Small readings of a journal and of /proc that several checks need. */
import { readFileSync } from 'node:fs';
import { carriesToken, isLive, listProcesses } from '../agents/proc.ts';
import type { Entry } from './journal.ts';
import { findSurvivors } from './survivors.ts';

export function startsOf(entries: readonly Entry[], task?: string): Entry[] {
  return entries.filter((entry) => entry.event === 'start' && (task === undefined || entry.task === task));
}

export function successesOf(entries: readonly Entry[], task: string): Entry[] {
  return entries.filter((entry) => entry.event === 'end' && entry.code === 0 && entry.task === task);
}

/** Living processes of one attempt, known by its marker or by what its children have in their command lines. */
export function survivorsOf({ token, mark }: Entry): number[] {
  const marked = listProcesses().filter((info) => isLive(info) && carriesToken(info.pid, token));
  return [...new Set([...marked.map(({ pid }) => pid), ...(mark === undefined ? [] : findSurvivors(mark))])];
}

/** A process' memory in bytes: now, and the most that it ever had. Zeros where the system does not tell. */
export function memoryOf(pid: number): { now: number; peak: number } {
  let text = '';
  try {
    text = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // It has ended.
  }
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}
