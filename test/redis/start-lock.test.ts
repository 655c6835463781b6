/** One process at a time, also when the one before it died: at whatever moment. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../src/redis/start-lock.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/** No process has this number: it is above what Linux gives. */
const NOBODY = '4194305';

async function lockFile(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'planq-lock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'start.lock');
}

const soon = (ms: number): number => systemClock.monotonic() + ms;

/** @returns the most that were in at once, and how many were in */
async function crowd(file: string, size: number): Promise<{ most: number; entries: number }> {
  let inside = 0;
  let most = 0;
  let entries = 0;
  const enter = async (_: unknown, at: number): Promise<void> => {
    // Not in step: one looks while another one takes.
    await systemClock.sleep(at % 7);
    await withLock(file, soon(20_000), systemClock, async () => {
      entries++;
      most = Math.max(most, ++inside);
      await systemClock.sleep(1);
      inside--;
    });
  };
  await Promise.all(Array.from({ length: size }, enter));
  return { most, entries };
}

test('of many that find the lock of a process that is gone, one at a time takes it over', async () => {
  for (let round = 0; round < 12; round++) {
    const file = await lockFile();
    await writeFile(file, NOBODY);
    expect(await crowd(file, 20)).toEqual({ most: 1, entries: 20 });
    expect(await readdir(path.dirname(file))).toEqual([]);
  }
});

test('a process that dies while it takes a lock over does not keep it from the others', async () => {
  const file = await lockFile();
  for (const left of ['', '.takeover', '.takeover.takeover']) await writeFile(`${file}${left}`, NOBODY);
  expect(await crowd(file, 4)).toEqual({ most: 1, entries: 4 });
  expect(await readdir(path.dirname(file))).toEqual([]);
});

test('a lock that names nobody is waited for at first, and taken over when it is old', async () => {
  const file = await lockFile();
  for (const words of ['', 'no pid']) {
    await writeFile(file, words);
    await expect(withLock(file, soon(50), systemClock, async () => undefined)).rejects.toMatchObject({
      code: 'redis_unreachable',
    });
    const before = (systemClock.now() - 6000) / 1000;
    await utimes(file, before, before);
    expect(await withLock(file, soon(1000), systemClock, async () => 'mine')).toBe('mine');
  }
});

test('the lock of a process that lives is left alone, and one whose pid has come again is not', async () => {
  const file = await lockFile();
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void other.kill('SIGKILL'));
  await writeFile(file, String(other.pid));
  await expect(withLock(file, soon(50), systemClock, async () => undefined)).rejects.toThrow(/another planq process/);
  const words = await withLock(`${file}2`, soon(1000), systemClock, () => readFile(`${file}2`, 'utf8'));
  const [pid, startedAt] = words.split(' ');
  expect(pid).toBe(String(process.pid));
  await writeFile(file, `${other.pid} ${Number(startedAt) - 1}`);
  expect(await withLock(file, soon(1000), systemClock, async () => 'mine')).toBe('mine');
});
