import { describe, expect, it } from 'vitest';
import { makespan } from '../../bench/parts/order.ts';
import { median, percentile, seeded } from '../../bench/statistics.ts';
import { compileGraph } from '../../src/plan/graph.ts';
import { testPlan } from '../support/app.ts';

describe('a played run', () => {
  const { plan } = testPlan({
    barrier: 'none',
    defaults: { agent: 'noop' },
    tasks: { a: {}, b: {}, long: {}, last: { needs: ['long'] } },
  });
  const graph = compileGraph(plan);
  const minutes = [3, 3, 3, 3];

  it('is longer when the long path begins last', () => {
    expect(makespan(graph, minutes, [1, 1, 1, 1], 2)).toBe(9);
    expect(makespan(graph, minutes, [2, 2, 1, 1], 2)).toBe(6);
  });

  it('takes the longest path with slots for all, and the sum with one', () => {
    expect(makespan(graph, minutes, [1, 1, 1, 1], 9)).toBe(6);
    expect(makespan(graph, minutes, [1, 1, 1, 1], 1)).toBe(12);
  });
});

describe('the statistics', () => {
  it('find the middle and the ends, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(percentile([3, 1, 2], 100)).toBe(3);
  });

  it('give the same chance for the same seed', () => {
    const [one, other] = [seeded(7), seeded(7)];
    expect([one(), one()]).toEqual([other(), other()]);
  });
});
