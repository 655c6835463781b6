import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCycles } from '../../src/plan/cycles.ts';
import { topologicalOrder } from '../../src/plan/order.ts';
import { only, problemsOf } from './plans.ts';

describe('circles', () => {
  test('are shown as the path that closes, at the place of the first task', () => {
    const text =
      'name: x\ndefaults: { run: x }\ntasks:\n  a: { needs: b }\n  b: { needs: c }\n  c: { needs: a }\n  d: { needs: a }\n';
    expect(only(problemsOf(text), 'cycle')).toMatchObject({
      message: 'tasks need each other in a circle: a → b → c → a',
      line: 4,
      column: 15,
      path: 'tasks.a.needs',
    });
  });

  test('are told once for each knot, with a short one as the example', () => {
    expect(findCycles([[1], [2], [3, 0], [0], [5], [4]])).toEqual([
      [0, 1, 2],
      [4, 5],
    ]);
  });

  test('are found in a ring of 10,000 tasks', () => {
    expect(findCycles(Array.from({ length: 10_000 }, (_, index) => [(index + 1) % 10_000]))[0]).toHaveLength(10_000);
  });

  test('are found exactly when no order exists, and are real', () => {
    const anyNeeds = fc
      .integer({ min: 1, max: 12 })
      .chain((size) => fc.array(fc.array(fc.nat(size - 1), { maxLength: 3 }), { minLength: size, maxLength: size }));
    fc.assert(
      fc.property(anyNeeds, (lists) => {
        const needs = lists.map((list, index) => [...new Set(list)].filter((need) => need !== index));
        const cycles = findCycles(needs);
        expect(cycles.length > 0).toBe(topologicalOrder(needs).length < needs.length);
        for (const cycle of cycles) {
          for (const [at, node] of cycle.entries()) expect(needs[node]).toContain(cycle[(at + 1) % cycle.length]);
          expect(new Set(cycle).size).toBe(cycle.length);
        }
      }),
    );
  });
});

test('with a phase barrier, a need onto a later phase is refused', () => {
  const text = 'name: x\nbarrier: phase\ndefaults: { run: x }\ntasks:\n  a: { phase: analysis, needs: i }\n  i: {}\n';
  expect(only(problemsOf(text), 'phase-order')).toMatchObject({
    line: 5,
    message: 'task "a" of phase "analysis" needs "i" of the later phase "implementation"',
  });
  expect(problemsOf(text, { barrier: 'none' })).toEqual([]);
});
