/**
 * The one way to open a path that a plan or an agent named. Words alone do not say where a path leads, and an agent can
 * put a link there between a look and the use: so the file is opened first, without following a last link and without
 * waiting for a pipe, and what was opened is then compared with where it may be. Only what came out of here is read.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isInside } from './files.ts';
import { err, ok, type Result } from './result.ts';

export interface Wanted {
  /** Folders in which it must lie, however it is reached. */
  roots: readonly string[];
  /** `any` = a file or a folder. */
  kind: 'file' | 'folder' | 'any';
  /** Refuses a file with a second name: it may be somebody else's, outside. */
  single?: boolean;
}

export interface Refusal {
  kind: 'missing' | 'refused';
  /** The end of a sentence that begins with the path. */
  reason: string;
}

export interface Opened {
  handle: FileHandle;
  stats: Stats;
  /** Where it really is: without links. */
  real: string;
  /** A path that reaches what was opened and nothing else, where the system has one. */
  through: string;
}

/** Opens for reading; the caller closes the handle. @param file absolute */
export async function openInside(file: string, wanted: Wanted): Promise<Result<Opened, Refusal>> {
  if (!path.isAbsolute(file) || file.includes('\0') || file.split(path.sep).includes('..'))
    return refused('it is no plain absolute path');
  let handle: FileHandle | undefined;
  try {
    const real = await realpath(file);
    const before = await lstat(real);
    // Opening a device can do something; a socket cannot be opened.
    if (!before.isFile() && !before.isDirectory()) return refused('it is not a regular file');
    handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const opened = await identify(handle, real);
    const fault = opened === null ? MOVED : await findFault(opened, wanted);
    if (fault === null) {
      const kept = handle;
      handle = undefined;
      return ok({ ...opened!, handle: kept });
    }
    return refused(fault);
  } catch (error) {
    return fromError(error);
  } finally {
    await handle?.close();
  }
}

/** Opens, asks, closes. @returns null when it is there and may be read */
export async function findRefusal(file: string, wanted: Wanted): Promise<Refusal | null> {
  const opened = await openInside(file, wanted);
  if (!opened.ok) return opened.error;
  await opened.value.handle.close();
  return null;
}

/** The whole file from its beginning; null when it holds more than `limit` bytes, however large it said it was. */
export async function readAtMost(handle: FileHandle, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, size);
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > limit) return null;
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

/**
 * The text of a file that a person named; a pipe or device in its place is refused. At once, since every command begins
 * with it, and Node takes longer to load what it needs to do it later.
 * @throws the file system's error
 */
export function readTextAtMost(file: string, limit: number): string {
  const opened = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(opened).isFile()) throw new Error('it is not a regular file');
    const bytes = Buffer.alloc(limit + 1);
    let size = 0;
    for (;;) {
      const read = readSync(opened, bytes, size, bytes.length - size, size);
      size += read;
      if (size > limit) throw new Error(`it is larger than ${limit} bytes`);
      if (read === 0) return bytes.toString('utf8', 0, size);
    }
  } finally {
    closeSync(opened);
  }
}

const CHUNK_BYTES = 64 * 1024;
const MOVED = 'it was moved while it was looked at';

type Identified = Omit<Opened, 'handle'>;

/** Where the open file is now, asked of the system by its descriptor; without /proc by comparing file numbers. */
async function identify(handle: FileHandle, real: string): Promise<Identified | null> {
  const stats = await handle.stat();
  const through = `/proc/self/fd/${handle.fd}`;
  const found = await readlink(through).catch(() => null);
  if (found !== null) return { stats, real: found, through };
  const [again, now] = [await realpath(real), await stat(real)];
  return again === real && now.ino === stats.ino && now.dev === stats.dev ? { stats, real, through: real } : null;
}

async function findFault({ real, stats }: Identified, { roots, kind, single }: Wanted): Promise<string | null> {
  if (!(await liesInside(roots, real))) return 'it leads outside the project';
  if (kind === 'folder' && !stats.isDirectory()) return 'it is not a directory';
  if (kind === 'file' && !stats.isFile()) return 'it is not a regular file';
  if (!stats.isFile() && !stats.isDirectory()) return 'it is not a regular file';
  if (single === true && stats.isFile() && stats.nlink !== 1)
    return stats.nlink === 0 ? MOVED : 'it is a hard link: the file has a second name';
  return null;
}

async function liesInside(roots: readonly string[], real: string): Promise<boolean> {
  for (const root of roots) if (isInside(await realpath(root).catch(() => root), real)) return true;
  return false;
}

function refused(reason: string): { ok: false; error: Refusal } {
  return err({ kind: 'refused', reason });
}

function fromError(error: unknown): { ok: false; error: Refusal } {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return err({ kind: 'missing', reason: 'it is not there' });
  // O_NOFOLLOW met a link: somebody put it there after the look.
  return code === 'ELOOP' ? refused(MOVED) : refused(message);
}
