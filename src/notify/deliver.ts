/** One notification to one receiver, again and again until it is there, is refused for good, or nobody waits any more. */
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Notification } from './notification.ts';
import type { Receiver } from './receiver.ts';

export interface Patience {
  firstMs: number;
  capMs: number;
  /** From the first try to the start of the last. */
  limitMs: number;
}

export const PATIENCE: Patience = { firstMs: 1000, capMs: 60_000, limitMs: 10 * 60_000 };

const JITTER = 0.25;

export interface DeliverTools {
  clock: Clock;
  random: Random;
  patience: Patience;
  /** Ends a try that is under way. */
  stop: AbortSignal;
  /** Allows no further try. */
  quiet: AbortSignal;
  /** Told of each try that failed and is followed by another. */
  onRetry?(message: string, delayMs: number): void;
}

export type Delivered =
  | { kind: 'sent' }
  /** Will not be tried again. */
  | { kind: 'given-up'; message: string; tries: number }
  /** To be sent another time. */
  | { kind: 'left' };

/** Milliseconds before the next try: doubling, capped, ±25 %. @param tries made so far, at least 1 */
export function retryDelay(tries: number, { firstMs, capMs }: Patience, random: Random): number {
  const delay = Math.min(capMs, firstMs * 2 ** Math.min(tries - 1, 30));
  return Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
}

/** Never throws. */
export async function deliver(receiver: Receiver, notification: Notification, tools: DeliverTools): Promise<Delivered> {
  const { clock, random, patience, stop, quiet } = tools;
  const startedAt = clock.monotonic();
  for (let tries = 1; !stop.aborted; tries++) {
    const sent = await receiver.send(notification, stop);
    if (sent.ok) return { kind: 'sent' };
    if (stop.aborted) break;
    const delayMs = retryDelay(tries, patience, random);
    const isLast = sent.isFinal || clock.monotonic() - startedAt + delayMs > patience.limitMs;
    if (isLast) return { kind: 'given-up', message: sent.message, tries };
    if (quiet.aborted) break;
    tools.onRetry?.(sent.message, delayMs);
    await clock.sleep(delayMs, AbortSignal.any([stop, quiet]));
    if (quiet.aborted) break;
  }
  return { kind: 'left' };
}
