import { expect, test } from 'vitest';
import { backoffMs } from '../../src/workers/backoff.ts';

test('doubles from the base up to thirty seconds', () => {
  const middle = () => 0.5;
  expect([1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => backoffMs(attempt, 1000, middle))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test('spreads by a quarter to both sides', () => {
  expect(backoffMs(1, 1000, () => 0)).toBe(750);
  expect(backoffMs(1, 1000, () => 0.999_999)).toBe(1250);
});
