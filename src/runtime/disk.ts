/**
 * Whether a disk has room for more work. A task that starts on a full disk fails for a reason that is not its own.
 */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { formatSize } from './size.ts';

/** Less free space than either is too little. */
const LEAST_BYTES = 1_000_000_000;
const LEAST_SHARE = 0.02;

export interface DiskSpace {
  /** What we may still write. */
  freeBytes: number;
  totalBytes: number;
}

export type DiskReader = (dir: string) => Promise<DiskSpace>;

/**
 * Looks at the disk on which `dir` lies; of a folder that is not there yet, at the nearest one above it.
 * @returns why no new work should begin; null when there is room, or when the system does not say
 */
export async function checkDisk(dir: string, read: DiskReader = readDisk): Promise<string | null> {
  const space = await readNearest(path.resolve(dir), read);
  if (space === null || space.totalBytes <= 0) return null;
  const share = space.freeBytes / space.totalBytes;
  if (space.freeBytes >= LEAST_BYTES && share >= LEAST_SHARE) return null;
  const least = `at least ${formatSize(LEAST_BYTES)} and ${LEAST_SHARE * 100} % must be free`;
  return `the disk of ${dir} is nearly full: ${formatSize(space.freeBytes)} (${(share * 100).toFixed(1)} %) free, ${least}`;
}

async function readNearest(dir: string, read: DiskReader): Promise<DiskSpace | null> {
  try {
    return await read(dir);
  } catch (error) {
    const parent = path.dirname(dir);
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== dir ? readNearest(parent, read) : null;
  }
}

async function readDisk(dir: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
