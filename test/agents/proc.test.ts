import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  carriesToken,
  descendantsOf,
  ioOf,
  isAlive,
  listProcesses,
  parseStat,
  readProcess,
  rssBytesOf,
  startTimeOf,
} from '../../src/agents/proc.ts';
import { waitUntil } from '../support/processes.ts';

const STAT_END = 'S 7 40 39 0 -1 4194560 1 0 0 0 11 12 13 14 20 0 3 0 98765 1000 200 0';

function start(command: string, env: Record<string, string> = {}): number {
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'ignore', env: { ...process.env, ...env } });
  onTestFinished(() => void process.kill(-child.pid!, 'SIGKILL'));
  return child.pid!;
}

describe('a line of /proc/<pid>/stat', () => {
  it.each(['sh', 'a b', '(x) S 1 (', ') S 9 9 9', 'tab\there', 'new\nline'])('is read past the name %j', (name) => {
    expect(parseStat(`42 (${name}) ${STAT_END}`)).toEqual({
      pid: 42,
      state: 'S',
      ppid: 7,
      pgid: 40,
      session: 39,
      cpuTicks: 50,
      threads: 3,
      startTime: '98765',
    });
  });

  it('is refused when it is none', () => {
    expect(parseStat('')).toBeUndefined();
  });
});

describe('a process', () => {
  it('is known by its number and start time together', () => {
    const startTime = startTimeOf(process.pid)!;
    expect(isAlive({ pid: process.pid, startTime })).toBe(true);
    expect(isAlive({ pid: process.pid, startTime: String(Number(startTime) + 1) })).toBe(false);
  });

  it('that is gone has no start time, no memory and no counters', () => {
    expect(startTimeOf(2 ** 22 + 1)).toBeUndefined();
    expect(rssBytesOf(2 ** 22 + 1)).toBe(0);
    expect(ioOf(2 ** 22 + 1)).toBeUndefined();
  });

  it('that is dead and not yet reaped is not alive', async () => {
    // The shell becomes a sleep, which never asks how its child ended.
    const parent = start('sleep 0.01 & exec sleep 1000');
    const zombie = await waitUntil('a zombie', () =>
      listProcesses().find((info) => info.ppid === parent && info.state === 'Z'),
    );
    expect(isAlive(zombie)).toBe(false);
  });

  it('is found below its ancestors and by the marker it inherits', async () => {
    const parent = start('sh -c "sleep 1000 & wait" & wait', { PLANQ_ATTEMPT_TOKEN: 'token-of-this-test' });
    const below = await waitUntil('two descendants', () => {
      const found = descendantsOf(parent, listProcesses());
      return found.length === 2 && found;
    });
    for (const { pid } of below) {
      expect(carriesToken(pid, 'token-of-this-test')).toBe(true);
      expect(carriesToken(pid, 'token-of-this')).toBe(false);
      expect(carriesToken(pid, '')).toBe(false);
    }
  });

  it('tells its memory, time and traffic', () => {
    expect(rssBytesOf(process.pid)).toBeGreaterThan(10_000_000);
    expect(readProcess(process.pid)!.cpuTicks).toBeGreaterThan(0);
    expect(ioOf(process.pid)!.rchar).toBeGreaterThan(0);
  });
});
