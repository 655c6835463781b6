/**
 * Who may look after the private server: one process at a time starts it, joins it or leaves it.
 */
import { open, readFile, rm } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';

/** @param deadline by the monotonic clock @throws PlanqError `redis_unreachable` when another process has it until then */
export async function withLock<T>(file: string, deadline: number, clock: Clock, action: () => Promise<T>): Promise<T> {
  for (;;) {
    const unlock = await takeLock(file);
    if (unlock !== null) {
      try {
        return await action();
      } finally {
        await unlock();
      }
    }
    if (clock.monotonic() > deadline) {
      throw new PlanqError('redis_unreachable', `cannot get the start lock ${file}: another planq process holds it`, {
        hint: 'see whether that process hangs; the file names its pid',
      });
    }
    await clock.sleep(10);
  }
}

/**
 * A lock file that names its holder's pid; one whose holder is gone is taken over.
 * @returns how to give it back, or null when somebody alive has it
 */
async function takeLock(file: string): Promise<(() => Promise<void>) | null> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return () => rm(file, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  if (holder > 0 && !isRunning(holder)) await rm(file, { force: true });
  return null;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
