/**
 * Limits by the kernel: one cgroup (version 2) for each attempt, beside the worker's own. It needs a parent that the
 * system has handed to us, as systemd does for a unit with `Delegate=yes` and `DelegateSubgroup=worker`:
 *
 *   planq.service/         ours: holds no process itself, hands memory and cpu down
 *   ├─ worker/             the worker
 *   └─ planq-<attempt>/    memory.max, cpu.max; its members die together
 *
 * A slice belongs to systemd even where we could write to it, and is left alone.
 */
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import { err, ok, type Result } from '../runtime/result.ts';
import { type Limit, memoryReason, type ResourceLimits } from './limit.ts';

/** Where the files are, and what is done with them. */
export interface CgroupFiles {
  /** Where version 2 is mounted. */
  root: string;
  read(file: string): string;
  write(file: string, text: string): void;
  makeFolder(folder: string): void;
  removeFolder(folder: string): void;
  isWritable(file: string): boolean;
}

export const systemFiles: CgroupFiles = {
  root: '/sys/fs/cgroup',
  read: (file) => readFileSync(file, 'utf8'),
  write: (file, text) => writeFileSync(file, text),
  makeFolder: (folder) => mkdirSync(folder),
  removeFolder: (folder) => rmdirSync(folder),
  isWritable: (file) => {
    try {
      accessSync(file, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
};

const CONTROLLERS = ['memory', 'cpu'];

/** The period over which the kernel counts processors, in microseconds. */
const PERIOD_US = 100_000;

/** A cgroup whose last process has just ended can be busy for a moment. */
const REMOVAL_TRIES = 40;
const REMOVAL_PAUSE_MS = 50;

/** The folder in which cgroups of attempts can be made. @returns why there is none */
export function findCgroup(files: CgroupFiles): Result<string, string> {
  const own = readOrNothing(files, '/proc/self/cgroup');
  const place = /^0::(\/.*)$/m.exec(own)?.[1];
  if (place === undefined || readOrNothing(files, path.join(files.root, 'cgroup.controllers')) === '')
    return err('no cgroup version 2');
  if (place === '/') return err('no cgroup of our own');
  const base = path.join(files.root, path.dirname(place));
  // The whole system's root alone has no type.
  if (base.endsWith('.slice') || readOrNothing(files, path.join(base, 'cgroup.type')) === '')
    return err('no delegated cgroup');
  const given = words(readOrNothing(files, path.join(base, 'cgroup.controllers')));
  const isOurs = ['cgroup.procs', 'cgroup.subtree_control'].every((file) => files.isWritable(path.join(base, file)));
  if (!isOurs || !files.isWritable(base)) return err('no delegated cgroup');
  if (!CONTROLLERS.every((name) => given.includes(name))) return err('the delegated cgroup lacks memory or cpu');
  return ok(base);
}

export interface CgroupOptions {
  base: string;
  limits: ResourceLimits;
  token: string;
  clock: Clock;
  files: CgroupFiles;
}

/** Makes the cgroup of one attempt. @returns what the system said when it refused */
export function openCgroup({ base, limits, token, clock, files }: CgroupOptions): Result<Limit, string> {
  const folder = path.join(base, `planq-${token.slice(0, 16)}`);
  const write = (name: string, text: string): void => files.write(path.join(folder, name), text);
  try {
    handDown(files, base);
    files.makeFolder(folder);
    write('memory.max', String(limits.memoryBytes));
    write('memory.oom.group', '1');
    write('cpu.max', `${Math.max(1000, Math.round(limits.cpus * PERIOD_US))} ${PERIOD_US}`);
  } catch (error) {
    tryTo(() => files.removeFolder(folder));
    return err(errorMessage(error));
  }
  // Absent where the kernel knows no swap.
  tryTo(() => write('memory.swap.max', '0'));
  return ok({
    admit: (pid) => write('cgroup.procs', String(pid)),
    look: () => undefined,
    verdict: async () => (killsIn(files, folder) > 0 ? memoryReason(limits) : undefined),
    close: () => remove(files, folder, clock),
  });
}

function handDown(files: CgroupFiles, base: string): void {
  const control = path.join(base, 'cgroup.subtree_control');
  const missing = CONTROLLERS.filter((name) => !words(files.read(control)).includes(name));
  if (missing.length > 0) files.write(control, missing.map((name) => `+${name}`).join(' '));
}

/** How often the kernel killed a member because of the limit. */
function killsIn(files: CgroupFiles, folder: string): number {
  const events = readOrNothing(files, path.join(folder, 'memory.events'));
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}

/** Whoever is still in it is killed by the kernel, all at once. */
async function remove(files: CgroupFiles, folder: string, clock: Clock): Promise<void> {
  if (readOrNothing(files, path.join(folder, 'cgroup.procs')).trim() !== '')
    tryTo(() => files.write(path.join(folder, 'cgroup.kill'), '1'));
  for (let left = REMOVAL_TRIES; left > 0; left--) {
    if (tryTo(() => files.removeFolder(folder))) return;
    await clock.sleep(REMOVAL_PAUSE_MS);
  }
}

function readOrNothing(files: CgroupFiles, file: string): string {
  try {
    return files.read(file);
  } catch {
    return '';
  }
}

function tryTo(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
