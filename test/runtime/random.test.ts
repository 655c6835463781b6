import { describe, expect, it } from 'vitest';
import { randomId, systemRandom } from '../../src/runtime/random.ts';

describe('systemRandom', () => {
  it('stays in [0, 1) and reaches both halves', () => {
    const numbers = Array.from({ length: 1000 }, systemRandom);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(numbers.some((number) => number < 0.5)).toBe(true);
    expect(numbers.some((number) => number >= 0.5)).toBe(true);
  });
});

describe('randomId', () => {
  it('has the length asked for and no look-alikes', () => {
    for (const length of [1, 8, 64]) expect(randomId(length)).toMatch(new RegExp(`^[a-hjkmnp-tv-z2-9]{${length}}$`));
  });

  it('does not repeat itself', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => randomId(10))).size).toBe(10_000);
  });
});
