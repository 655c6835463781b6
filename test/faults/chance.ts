/**
 * Chance that can be repeated: PLANQ_SEED=<number> gives the same faults at the same places once more.
 */
import type { Random } from '../../src/runtime/random.ts';

/** Of this run of the tests; all files use the same. */
export const SEED = Number(process.env.PLANQ_SEED ?? Math.floor(Math.random() * 1_000_000));

export interface Chance {
  random: Random;
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
}

/** @param name so that each promise has a sequence of its own */
export function createChance(name: string): Chance {
  let state = SEED;
  for (const char of name) state = Math.imul(state ^ char.charCodeAt(0), 0x9e3779b1) >>> 0;
  // mulberry32
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  return { random, between, pick: (items) => items[between(0, items.length - 1)]! };
}
