/**
 * Facts about real processes, for tests: they wait for what is so, not for time to pass.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { carriesToken, isLive, listProcesses, readProcess } from '../../src/agents/proc.ts';

/** True while the process works; one that is dead and not reaped is not alive. */
export function isAlive(pid: number): boolean {
  const info = readProcess(pid);
  return info !== undefined && isLive(info);
}

/** The living among `pids`. */
export function aliveOf(pids: readonly number[]): number[] {
  return pids.filter(isAlive);
}

/** All living processes of an attempt, found by its marker. */
export function processesOf(token: string): number[] {
  return listProcesses()
    .filter((info) => isLive(info) && carriesToken(info.pid, token))
    .map((info) => info.pid);
}

/**
 * Asks until `fact` is true, or not undefined, and gives what it answered.
 * @throws after `timeoutMs`, saying what it waited for
 */
export async function waitUntil<T>(
  what: string,
  fact: () => T | Promise<T>,
  timeoutMs = 5000,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await fact();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(10);
  }
}

/** Waits until all of `pids` are gone. @throws naming those that are not */
export async function waitUntilGone(pids: readonly number[], timeoutMs = 5000): Promise<void> {
  try {
    await waitUntil('processes end', () => aliveOf(pids).length === 0, timeoutMs);
  } catch {
    throw new Error(`still alive after ${timeoutMs} ms: ${aliveOf(pids).join(', ')}`);
  }
}

/** The text of a file once it has a whole line; undefined until then. */
export function readWhole(file: string): string | undefined {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.endsWith('\n') ? text : undefined;
}

/** The process number that a script has written to `file`; undefined until it has. */
export function readPid(file: string): number | undefined {
  const text = readWhole(file);
  return text === undefined ? undefined : Number(text);
}
