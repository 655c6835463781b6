/**
 * Tells one receiver: follows the event stream under a lease that one worker of the fleet has, and delivers in order, at
 * least once. The cursor is in Redis and moves when something was delivered or given up.
 *
 *   wait for the lease ─→ hold: read, deliver, move the cursor ─→ lost: wait again
 *                           └─ told to stop ─→ one try for each that is left, then the lease is given back
 */
import { parseEvent } from '../events/codec.ts';
import type { Event } from '../events/event.ts';
import type { Store } from '../producer/store.ts';
import type { Connection } from '../redis/connection.ts';
import type { NotifyLease } from '../redis/notify-lease.ts';
import { firstEntryId, isAfter, readEntries, readRange, type StreamEntry } from '../redis/stream.ts';
import type { Clock } from '../runtime/clock.ts';
import { bounded } from '../runtime/errors.ts';
import type { NotifyType } from '../runtime/notify-config.ts';
import type { Random } from '../runtime/random.ts';
import type { Service } from '../runtime/service.ts';
import { type Delivered, deliver, type Patience } from './deliver.ts';
import { type Notification, typeOf } from './notification.ts';
import type { Receiver } from './receiver.ts';

export interface FeedOptions {
  store: Store;
  lease: NotifyLease;
  receiver: Receiver;
  clock: Clock;
  random: Random;
  /** Milliseconds of the lease. */
  leaseMs: number;
  patience: Patience;
  compose(event: Event, type: NotifyType): Promise<Notification>;
  warn(message: string, facts?: Record<string, unknown>): void;
  onError(error: unknown): void;
}

const BLOCK_MS = 5000;
const RETRY_MS = 1000;
/** What is older is not worth telling any more. */
const OLD_MS = 24 * 3600_000;
/** How long a stop waits for what is still to be told. */
const DRAIN_MS = 10_000;
/** And then for a command to be stopped, or for a Redis that does not answer. */
const LAST_MS = 3000;
const REASON_LIMIT = 300;

export class Feed implements Service {
  readonly #quiet = new AbortController();
  readonly #stop = new AbortController();
  #reader: Connection | undefined;
  #loop: Promise<void> = Promise.resolve();
  #cursor: string | undefined;
  #leaseMs: number;
  #old = 0;

  constructor(private readonly options: FeedOptions) {
    this.#leaseMs = options.leaseMs;
  }

  /** From here on nothing is missed. Throws what Redis answers with. */
  async start(): Promise<void> {
    await this.options.lease.anchor();
    this.#reader = this.options.store.connect();
    this.#loop = this.#run(this.#reader);
  }

  /** Tells what has happened up to now, each once; what cannot be told then is told by the next worker. */
  async stop(): Promise<void> {
    this.#quiet.abort();
    this.#reader?.disconnect();
    await this.#ended(DRAIN_MS);
    this.#stop.abort();
    await this.#ended(LAST_MS);
  }

  /** Ends the wait of {@link stop} at once. */
  hurry(): void {
    this.#quiet.abort();
    this.#stop.abort();
  }

  async #ended(limitMs: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#loop, this.options.clock.sleep(limitMs, over.signal)]);
    over.abort();
  }

  async #run(reader: Connection): Promise<void> {
    const { clock, onError } = this.options;
    while (!this.#quiet.signal.aborted) {
      try {
        if (await this.#take()) await this.#hold(reader);
        else await clock.sleep(this.options.leaseMs / 3, this.#quiet.signal);
      } catch (error) {
        if (this.#quiet.signal.aborted) break;
        onError(error);
        await clock.sleep(RETRY_MS, this.#quiet.signal);
      }
    }
    await this.#drain().catch(onError);
  }

  /** Takes or renews the lease; what was delivered while Redis was away is told with it. */
  async #take(): Promise<boolean> {
    const { status, cursor } = await this.options.lease.hold(this.#leaseMs, this.#cursor);
    if (this.#cursor === undefined || isAfter(cursor, this.#cursor)) this.#cursor = cursor;
    return status === 'held';
  }

  async #hold(reader: Connection): Promise<void> {
    const lost = new AbortController();
    const renewing = this.#renew(lost);
    const isOver = (): boolean => lost.signal.aborted || this.#quiet.signal.aborted;
    const { store } = this.options;
    try {
      while (!isOver()) {
        await this.#lookForGap();
        for (const entry of await readEntries(reader, store.keys.events, this.#cursor ?? '$', BLOCK_MS)) {
          if (isOver() || !(await this.#tell(entry, lost.signal))) {
            lost.abort();
            break;
          }
        }
        this.#tellOld();
      }
    } finally {
      lost.abort();
      await renewing;
    }
  }

  async #renew(lost: AbortController): Promise<void> {
    const { clock, leaseMs, onError } = this.options;
    const everyMs = Math.min(2000, leaseMs / 4);
    for (;;) {
      await clock.sleep(everyMs, lost.signal);
      if (lost.signal.aborted) return;
      try {
        if (!(await this.#take())) lost.abort();
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Under one lease that lasts for all of it. */
  async #drain(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#leaseMs = DRAIN_MS + 2 * LAST_MS;
    if (!(await this.#take())) return;
    const { store, lease } = this.options;
    for await (const entry of readRange(store.redis, store.keys.events, { after: this.#cursor ?? '0-0' }))
      if (this.#stop.signal.aborted || !(await this.#tell(entry, this.#stop.signal))) break;
    this.#tellOld();
    await lease.hold(0, this.#cursor);
  }

  /** @returns false when the entry is still to be told */
  async #tell(entry: StreamEntry, lost: AbortSignal): Promise<boolean> {
    const { receiver, clock, compose } = this.options;
    const event = parseEvent(entry.id, entry.fields);
    const type = typeOf(event, receiver.on);
    const isOld = type !== undefined && event.at < clock.now() - OLD_MS;
    if (isOld) this.#old++;
    if (type === undefined || isOld) {
      this.#cursor = entry.id;
      return true;
    }
    const notification = await compose(event, type);
    const delivered = await this.#deliver(notification, lost);
    if (delivered.kind === 'left') return false;
    if (delivered.kind === 'given-up') return this.#giveUp(event, type, delivered);
    this.#cursor = entry.id;
    return this.#take();
  }

  #deliver(notification: Notification, lost: AbortSignal): Promise<Delivered> {
    const { receiver, clock, random, patience, warn } = this.options;
    let isTold = false;
    return deliver(receiver, notification, {
      clock,
      random,
      patience,
      stop: AbortSignal.any([this.#stop.signal, lost]),
      quiet: this.#quiet.signal,
      onRetry: (message) => {
        if (!isTold) warn(`could not notify ${receiver.name}, trying again: ${message}`, factsOf(notification));
        isTold = true;
      },
    });
  }

  async #giveUp(
    event: Event,
    type: NotifyType,
    { message, tries }: Delivered & { kind: 'given-up' },
  ): Promise<boolean> {
    const { receiver, lease, warn } = this.options;
    const times = tries === 1 ? '' : ` after ${tries} tries`;
    const reason = bounded(`${message}${times}`, REASON_LIMIT);
    const { status } = await lease.hold(this.#leaseMs, event.id, { run: event.run, type, to: receiver.name, reason });
    this.#cursor = event.id;
    warn(`could not notify ${receiver.name} and gave up: ${reason}`, { type, run: event.run });
    return status === 'held';
  }

  /** The stream keeps so many events and no more; a receiver that was away for long may have missed some. */
  async #lookForGap(): Promise<void> {
    const { store, receiver, warn } = this.options;
    if (this.#cursor === undefined || this.#cursor === '0-0') return;
    const oldest = await firstEntryId(store.redis, store.keys.events);
    if (oldest !== null && isAfter(oldest, this.#cursor))
      warn(`events were dropped before ${receiver.name} was told of them; going on from the oldest that is left`, {
        after: this.#cursor,
        oldest,
      });
  }

  #tellOld(): void {
    const { receiver, warn } = this.options;
    if (this.#old > 0)
      warn(`did not notify ${receiver.name} of what is older than a day`, { notifications: this.#old });
    this.#old = 0;
  }
}

function factsOf({ type, run }: Notification): Record<string, unknown> {
  return { type, run: run?.id };
}
