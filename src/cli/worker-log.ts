/**
 * What a worker tells of its work: the events of the attempts that it performs itself, out of all that happen.
 */
import { newestCursor } from '../control/cursor.ts';
import { followAll } from '../control/follow-all.ts';
import { createJsonLog, type Log, type LogLine } from '../events/log-subscriber.ts';
import type { Store } from '../producer/store.ts';
import { systemClock, toIso } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Context } from './context.ts';
import { OwnEvents } from './own-events.ts';
import type { Output } from './terminal/output.ts';
import { clean } from './terminal/text.ts';

/** JSON lines; on a terminal lines that people read. */
export function createWorkerLog(output: Output, base: Record<string, unknown>): Log {
  if (!output.isLive) return createJsonLog(output.stdout, base);
  return { write: (line) => output.print(toText(line, output)) };
}

function toText({ level, message, facts }: LogLine, output: Output): string {
  const { run, task, tasks: _tasks, worker: _worker, ...more } = facts;
  const words = Object.entries(more).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const color = { info: undefined, warn: 'yellow', error: 'red' } as const;
  const place = [run, task].filter((part) => part !== undefined).join(' ');
  const time = toIso(systemClock.now()).slice(11, 19);
  return `${output.style('dim', time)} ${output.style(color[level], message)} ${clean(`${place} ${words.join(' ')}`)}`;
}

/** Whether event `id` is not before `other`; stream ids are `<ms>-<number>`. */
export function isAtLeast(id: string, other: string): boolean {
  const [ms = 0, number = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherNumber = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && number >= otherNumber);
}

/** How long the last events may take to arrive. */
const CATCH_UP_MS = 2000;
const POLL_MS = 20;

/** Writes a worker's own events to its log while it lives, and those of its end. */
export class Diary {
  readonly #stop = new AbortController();
  #cursor = '0-0';
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: Context,
    private readonly store: Store,
    private readonly worker: string,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    this.#cursor = await newestCursor(this.store);
    this.#writing = this.#write();
  }

  /** Writes what has happened up to now, then ends. */
  async stop(): Promise<void> {
    const { clock } = this.context;
    const last = await newestCursor(this.store);
    const deadline = clock.monotonic() + CATCH_UP_MS;
    while (!isAtLeast(this.#cursor, last) && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
    this.#stop.abort();
    await this.#writing;
  }

  async #write(): Promise<void> {
    const own = new OwnEvents(this.store, this.worker);
    try {
      for await (const event of followAll(this.store, this.#cursor, this.#stop.signal)) {
        const line = await own.take(event);
        if (line !== null) this.log.write(line);
        this.#cursor = event.id;
      }
    } catch (error) {
      // A worker works on without its log.
      this.context.output.warn(`the log ends here: ${errorMessage(error)}`);
    }
  }
}
