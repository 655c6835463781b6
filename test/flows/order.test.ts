import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jobPriority, placeInLine } from '../../src/flows/order.ts';
import type { Priority } from '../../src/plan/plan.ts';

const CLASSES: Priority[] = ['critical', 'high', 'medium', 'low'];
const one = fc.record({
  priority: fc.constantFrom(...CLASSES),
  minutes: fc.integer({ min: 0, max: 100_000 }),
  createdAt: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
});
type One = { priority: Priority; minutes: number; createdAt: number };

/** Priority, then longest path, then age in seconds. Negative: `a` goes first. */
function byRule(a: One, b: One): number {
  return (
    CLASSES.indexOf(a.priority) - CLASSES.indexOf(b.priority) ||
    b.minutes - a.minutes ||
    Math.floor(a.createdAt / 1000) - Math.floor(b.createdAt / 1000)
  );
}

test('the place in line follows priority, then longest remaining path, then age', () => {
  fc.assert(
    fc.property(one, one, (a, b) => {
      const [left, right] = [a, b].map((item) => Number(placeInLine(item.priority, item.minutes, item.createdAt))) as [
        number,
        number,
      ];
      expect(Number.isSafeInteger(left)).toBe(true);
      expect(Math.sign(left - right)).toBe(Math.sign(byRule(a, b)));
    }),
  );
});

test('the job priority is one that BullMQ takes and follows the same rule without age', () => {
  fc.assert(
    fc.property(one, one, (a, b) => {
      const [left, right] = [a, b].map((item) => jobPriority(item.priority, item.minutes)) as [number, number];
      expect(left).toBeGreaterThanOrEqual(1);
      expect(left).toBeLessThan(2 ** 21);
      expect(Math.sign(left - right)).toBe(Math.sign(byRule({ ...a, createdAt: 0 }, { ...b, createdAt: 0 })));
    }),
  );
});

test('estimates beyond all reason stay in range', () => {
  expect(jobPriority('critical', 1e12)).toBe(1);
  expect(jobPriority('low', 0)).toBe(2 ** 21 - 1);
  expect(jobPriority('low', Number.MAX_SAFE_INTEGER)).toBeLessThan(2 ** 21);
});
