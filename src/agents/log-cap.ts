/**
 * Keeps a log from filling the disk while its agent writes to it. The agent's descriptor appends, so the file can be cut
 * under its hands without leaving a hole; what it writes in the moment of the cut may end up before the kept end.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The most that a log may have; what is above it is taken out of its middle. */
export const LOG_LIMIT_BYTES = 100 * 1024 * 1024;

/** Most bytes kept at either end: a cut must be cheap, and rare enough that little is lost between reading and cutting. */
const MAX_END_BYTES = 8 * 1024 * 1024;

export interface LogCut {
  /** Bytes taken out of the middle. */
  cutBytes: number;
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
    return await cutMiddle(log, file, size, Math.min(Math.floor(limitBytes / 4), MAX_END_BYTES));
  } finally {
    await log.close();
  }
}

async function cutMiddle(log: FileHandle, file: string, size: number, keep: number): Promise<LogCut> {
  const head = wholeLinesEnd(await read(log, 0, keep));
  const tail = fromWholeLine(await read(log, size - keep, keep));
  const cutBytes = size - head - tail.length;
  await log.truncate(head);
  const end = await open(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  try {
    await end.write(Buffer.concat([Buffer.from(`[planq: ${cutBytes} bytes cut out here]\n`), tail]));
    return { cutBytes, size: (await end.stat()).size };
  } finally {
    await end.close();
  }
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

function fromWholeLine(bytes: Buffer): Buffer {
  return bytes.subarray(bytes.indexOf('\n') + 1);
}
