/**
 * What the agents of the drill, and of the fault tests, wrote down themselves.
 */
import { readFile } from 'node:fs/promises';

export interface Entry {
  event: 'start' | 'tick' | 'end';
  /** Milliseconds of the machine's monotonic clock, as `machineMs` gives them. */
  at: number;
  run: string;
  task: string;
  attempt: number;
  /** The attempt's marker: another one each time that a worker claims the task. */
  token: string;
  /** Units of the limited resource that it has while it lives. */
  takes: number;
  /** Of an end. */
  code?: number;
  /** Of a start: what stands in the command lines of the processes that it left running. */
  mark?: string;
}

/** All whole lines in the order in which they were written; empty while nobody has. */
export async function readEntries(file: string): Promise<Entry[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

/** One life of one agent, from its first line to its last. */
export interface Life {
  run: string;
  task: string;
  token: string;
  takes: number;
  from: number;
  to: number;
  /** Exit code; undefined when it was killed. */
  code: number | undefined;
}

export function toLives(entries: readonly Entry[]): Life[] {
  const lives = new Map<string, Life>();
  for (const { at, run, task, token, takes, code } of entries) {
    const life = lives.get(token);
    if (life === undefined) lives.set(token, { run, task, token, takes, from: at, to: at, code });
    else Object.assign(life, { to: at, code: code ?? life.code });
  }
  return [...lives.values()];
}
