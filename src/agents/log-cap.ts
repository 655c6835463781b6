/**
 * Keeps a log from filling the disk while its agent writes to it. The agent's descriptor appends, so the file can be cut
 * under its hands without leaving a hole. The end is moved to behind the beginning, then whatever was written meanwhile,
 * and the file is cut in the same breath: the last words stay the last. Only what is written between the last look and the
 * cut, some microseconds, is lost.
 */
import { constants, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The most that a log may have; what is above it is taken out of its middle. */
export const LOG_LIMIT_BYTES = 100 * 1024 * 1024;

/** Most bytes kept at either end: a cut must be cheap. */
const MAX_END_BYTES = 8 * 1024 * 1024;

const CHUNK_BYTES = 256 * 1024;
/** Who writes faster than this is read, about 64 MB at once, loses some of it. */
const MOST_CHUNKS = 256;

export interface LogCut {
  /** Bytes taken out of the middle. */
  cutBytes: number;
  /** Size of the file before the cut, with what was written up to then. */
  sizeBefore: number;
  /** Size of the file after the cut. */
  size: number;
}

/**
 * Cuts the middle out of a log that is larger than `limitBytes` and writes a line that says so in its place.
 * @returns undefined when the log is within its limit
 * @throws the file system's error
 */
export async function capLog(file: string, limitBytes: number): Promise<LogCut | undefined> {
  const log = await open(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size } = await log.stat();
    if (size <= limitBytes) return undefined;
    return await cutMiddle(log, size, Math.min(Math.floor(limitBytes / 4), MAX_END_BYTES));
  } finally {
    await log.close();
  }
}

async function cutMiddle(log: FileHandle, size: number, keep: number): Promise<LogCut> {
  const head = wholeLinesEnd(await read(log, 0, keep));
  const tail = fromWholeLine(await read(log, size - keep, keep));
  const cutBytes = size - head - tail.length;
  const kept = Buffer.concat([Buffer.from(`[planq: ${cutBytes} bytes cut out here]\n`), tail]);
  await log.write(kept, 0, kept.length, head);
  return { cutBytes, ...closeUp(log.fd, size, head + kept.length) };
}

/** Moves what stands at `from` and behind it to `to`, and ends the file there. At one go, so that nobody writes in between. */
function closeUp(fd: number, from: number, to: number): { sizeBefore: number; size: number } {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let moved = 0;
  for (let chunk = 0; chunk < MOST_CHUNKS; chunk++) {
    const length = readSync(fd, buffer, 0, CHUNK_BYTES, from + moved);
    if (length === 0) break;
    writeSync(fd, buffer, 0, length, to + moved);
    moved += length;
  }
  ftruncateSync(fd, to + moved);
  return { sizeBefore: from + moved, size: to + moved };
}

async function read(log: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await log.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Where the last whole line of `bytes` ends; all of it when there is no line end. */
function wholeLinesEnd(bytes: Buffer): number {
  const newline = bytes.lastIndexOf('\n');
  return newline < 0 ? bytes.length : newline + 1;
}

/** A last line that is longer than all that is kept is kept in part. */
function fromWholeLine(bytes: Buffer): Buffer {
  const start = bytes.indexOf('\n') + 1;
  return start === bytes.length ? bytes : bytes.subarray(start);
}
