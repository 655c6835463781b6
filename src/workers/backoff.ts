import type { Random } from '../runtime/random.ts';

const CAP_MS = 30_000;
const JITTER = 0.25;

/**
 * Milliseconds before the next attempt: `base` doubling with every attempt made, at most 30 s, ±25 % so that tasks that
 * failed together do not come back together.
 * @param attempt the attempt that failed, counted from 1
 */
export function backoffMs(attempt: number, baseMs: number, random: Random): number {
  const delay = Math.min(CAP_MS, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
}
