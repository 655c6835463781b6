/**
 * Follows the log of a running attempt: reports progress lines, warnings and the last lines, and keeps the file within its
 * limit. Read by asking, not by `fs.watch`, which misses changes on network folders and in containers.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { AgentReport } from './agent.ts';
import { LineSplitter, toPlainLine } from './lines.ts';
import { capLog } from './log-cap.ts';
import { parseLogCommand } from './log-commands.ts';

export interface TailOptions {
  logFile: string;
  /** Byte to begin at: the size of the log before the attempt. */
  start: number;
  /** Most bytes kept of the log. */
  limitBytes: number;
  report(report: AgentReport): void;
}

export interface Tail {
  /** Reads what is new. True when the log has grown. */
  poll(): Promise<boolean>;
  /** Reads the rest, with a last line that has no end, and closes the file. */
  finish(): Promise<void>;
}

/** Lines reported at once; those before them are in the log. */
const MAX_LINES = 200;
const MAX_WARNINGS = 20;
const CHUNK_BYTES = 256 * 1024;
/** A reader so far behind a flood skips to the end: nobody can read it, and the worker has better things to do. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

/**
 * Opens the log for following.
 * @throws the file system's error when it cannot be opened; `poll` and `finish` when it cannot be read
 */
export async function openTail(options: TailOptions): Promise<Tail> {
  const log = await open(options.logFile, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const follower = new Follower(options, log);
  return {
    poll: () => follower.read(),
    finish: async () => {
      try {
        await follower.read();
        follower.flush();
      } finally {
        await log.close();
      }
    },
  };
}

class Follower {
  readonly #options: TailOptions;
  readonly #log: FileHandle;
  readonly #splitter = new LineSplitter();
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #position: number;
  #warnings = 0;
  /** Not yet reported. */
  #lines: string[] = [];
  #progress: AgentReport | undefined;

  constructor(options: TailOptions, log: FileHandle) {
    this.#options = options;
    this.#log = log;
    this.#position = options.start;
  }

  async read(): Promise<boolean> {
    const { size } = await this.#log.stat();
    if (size === this.#position) return false;
    if (size < this.#position || size - this.#position > MAX_BACKLOG_BYTES) this.#skipTo(size);
    await this.#readTo(size);
    this.#tell();
    if (size > this.#options.limitBytes) await this.#cap();
    return true;
  }

  flush(): void {
    this.#take(this.#splitter.finish());
    this.#tell();
  }

  /** After a truncation by somebody else begins anew; in a flood goes on shortly before the end. */
  #skipTo(size: number): void {
    this.#position = size < this.#position ? 0 : size - CHUNK_BYTES;
    this.#splitter.reset();
  }

  async #readTo(size: number): Promise<void> {
    while (this.#position < size) {
      const { bytesRead } = await this.#log.read(this.#buffer, 0, CHUNK_BYTES, this.#position);
      if (bytesRead === 0) break;
      this.#position += bytesRead;
      this.#take(this.#splitter.push(this.#buffer.subarray(0, bytesRead)));
    }
  }

  async #cap(): Promise<void> {
    const cut = await capLog(this.#options.logFile, this.#options.limitBytes);
    if (cut === undefined) return;
    // What was written while it was cut is still to be read; it stands at the end as before.
    this.#position = Math.max(0, cut.size - (cut.sizeBefore - this.#position));
  }

  /** Of many lines only the last are made fit to be shown; all may speak to planq. */
  #take(lines: readonly string[]): void {
    const shownFrom = lines.length - MAX_LINES;
    lines.forEach((line, index) => {
      if (index < shownFrom && !line.startsWith('::')) return;
      const plain = toPlainLine(line);
      const command = parseLogCommand(plain);
      if (command === undefined) this.#lines.push(plain);
      else if (command.kind === 'progress') this.#progress = command;
      else this.#warn(command.message);
    });
    this.#lines = this.#lines.slice(-MAX_LINES);
  }

  #tell(): void {
    if (this.#progress !== undefined) this.#options.report(this.#progress);
    if (this.#lines.length > 0) this.#options.report({ kind: 'lines', lines: this.#lines });
    this.#progress = undefined;
    this.#lines = [];
  }

  #warn(message: string): void {
    this.#warnings++;
    if (this.#warnings <= MAX_WARNINGS) this.#options.report({ kind: 'warning', message });
    if (this.#warnings === MAX_WARNINGS)
      this.#options.report({ kind: 'warning', message: 'further warnings are only in the log' });
  }
}
