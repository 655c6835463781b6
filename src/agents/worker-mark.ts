/**
 * Which worker an agent belongs to, written into the environment of every one of its processes. When a worker and its
 * guardian die together, the next worker on the machine knows by it what they left behind.
 */
import os from 'node:os';
import { namespaceOf, type ProcessIdentity, startTimeOf } from './proc.ts';

export interface WorkerMark extends ProcessIdentity {
  /** The worker's name for itself. */
  id: string;
  /** Where its number means something: host and PID namespace. Containers number their processes each for itself. */
  place: string;
}

/** The names of the variables. */
export const WORKER_WORDS = ['PLANQ_WORKER', 'PLANQ_WORKER_PID', 'PLANQ_WORKER_START', 'PLANQ_WORKER_PLACE'] as const;

/** The mark of this process. */
export function markOfThisProcess(id: string): WorkerMark {
  return { id, pid: process.pid, startTime: startTimeOf(process.pid) ?? '', place: thisPlace() };
}

/** Host and PID namespace of this process. */
export function thisPlace(): string {
  return `${os.hostname()}/${namespaceOf('self') ?? ''}`;
}

/** The mark as variables. */
export function toWorkerWords(mark: WorkerMark): Record<(typeof WORKER_WORDS)[number], string> {
  return {
    PLANQ_WORKER: mark.id,
    PLANQ_WORKER_PID: String(mark.pid),
    PLANQ_WORKER_START: mark.startTime,
    PLANQ_WORKER_PLACE: mark.place,
  };
}

/** Reads a mark from a process' environment; undefined when it carries none. */
export function readMark(env: ReadonlyMap<string, string>): WorkerMark | undefined {
  const [id, pid, startTime, place] = WORKER_WORDS.map((word) => env.get(word));
  if (id === undefined || pid === undefined || startTime === undefined || place === undefined) return undefined;
  return /^\d+$/.test(pid) && startTime !== '' ? { id, pid: Number(pid), startTime, place } : undefined;
}
