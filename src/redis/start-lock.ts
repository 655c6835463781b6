/**
 * Who may look after the private server: one process at a time starts it, joins it or leaves it.
 *
 * The lock is a file that names its holder: pid, and where the system tells it the time at which that process was started,
 * since pids come again. Where the file system has links it appears with
 * these words in it or not at all. One whose holder is gone is taken away under
 * a lock of its own, so that nobody takes away what another has taken just then; that lock is kept like the first.
 */
import { constants, copyFile, link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { randomId } from '../runtime/random.ts';

/** A lock that names nobody was left by a crash or a full disk; its maker may still be at it for so long. */
const NAMELESS_MS = 5000;

/** @param deadline by the monotonic clock @throws PlanqError `redis_unreachable` when another process has it until then */
export async function withLock<T>(file: string, deadline: number, clock: Clock, action: () => Promise<T>): Promise<T> {
  for (;;) {
    if (await takeLock(file, clock)) {
      try {
        return await action();
      } finally {
        await rm(file, { force: true });
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

/** @returns false when somebody has it, or somebody who is gone had it until now: ask again */
async function takeLock(file: string, clock: Clock): Promise<boolean> {
  if (!(await exists(file))) return createLock(file);
  if (!(await isLeft(file, clock))) return false;
  const guard = `${file}.takeover`;
  if (!(await takeLock(guard, clock))) return false;
  try {
    // Another process may have taken it over before we had the guard.
    if (await isLeft(file, clock)) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
  return false;
}

/** @returns false when another process was quicker */
async function createLock(file: string): Promise<boolean> {
  const draft = `${file}.${process.pid}-${randomId(6)}`;
  try {
    await writeFile(draft, `${process.pid} ${await startOf(process.pid)}`.trim(), { flag: 'wx', mode: 0o600 });
    await link(draft, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error;
      // Not every file system has links.
      await copyFile(draft, file, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}

/** Whether there is one whose holder is gone. */
async function isLeft(file: string, clock: Clock): Promise<boolean> {
  const [holder = '', startedAt] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
  if (!/^[1-9]\d*$/.test(holder)) return isOld(file, clock);
  if (!isRunning(Number(holder))) return true;
  const started = await startOf(Number(holder));
  return startedAt !== undefined && started !== '' && startedAt !== started;
}

async function isOld(file: string, clock: Clock): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found !== null && clock.now() - found.mtimeMs > NAMELESS_MS;
}

/** When a process was started, in the kernel's own count; nothing where the system does not tell. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Its name may hold spaces and parentheses.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
