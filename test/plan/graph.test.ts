import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../src/plan/graph.ts';
import { topologicalOrder } from '../../src/plan/order.ts';
import type { EdgeCondition, Graph } from '../../src/plan/plan.ts';
import { anyPlan, graphPlan } from './plans.ts';

/** `a:success gate:1:done`, the edges into a node in words. */
function needsOf(graph: Graph, id: string): string[] {
  const node = graph.nodes.find((one) => one.id === id)!;
  return node.needs.map(({ from, when }) => `${graph.nodes[from]!.id} ${when}`);
}

describe('a graph without barrier', () => {
  test('has the plan’s own edges and no gates', () => {
    const graph = compileGraph(graphPlan('none', [{ id: 'b', needs: [['a', 'done']] }, { id: 'a' }]));
    expect(graph.nodes.map(({ id, kind, stage, group }) => [id, kind, stage, group])).toEqual([
      ['b', 'task', 2, 0],
      ['a', 'task', 1, 0],
    ]);
    expect(needsOf(graph, 'b')).toEqual(['a done']);
    expect(graph.nodes[1]!.dependents).toEqual([0]);
    expect(graph.stages).toEqual([['a'], ['b']]);
  });
});

describe('a stage barrier', () => {
  const graph = compileGraph(
    graphPlan('stage', [
      { id: 'a', minutes: 5 },
      { id: 'b', minutes: 7 },
      { id: 'c', needs: [['a']], minutes: 3 },
      { id: 'd', needs: [['c', 'failed']], minutes: 2 },
    ]),
  );

  test('closes every stage but the last with a gate that waits for the end of all its tasks', () => {
    expect(graph.nodes.slice(graph.taskCount).map(({ id, stage, group }) => [id, stage, group])).toEqual([
      ['gate:1', 1, 1],
      ['gate:2', 2, 2],
    ]);
    expect(needsOf(graph, 'gate:1')).toEqual(['a done', 'b done']);
    expect(needsOf(graph, 'gate:2')).toEqual(['gate:1 success', 'c done']);
  });

  test('makes each task wait for the gate of the stage before', () => {
    expect(needsOf(graph, 'c')).toEqual(['a success', 'gate:1 success']);
    expect(needsOf(graph, 'd')).toEqual(['c failed', 'gate:2 success']);
  });

  test('is part of the longest path', () => {
    expect(graph.nodes.map(({ remainingMinutes }) => remainingMinutes)).toEqual([10, 12, 5, 2, 5, 2]);
  });

  test('follows the stages that the author listed', () => {
    const listed = compileGraph({
      ...graphPlan('stage', [{ id: 'a' }, { id: 'b' }, { id: 'c' }]),
      stages: [['c'], ['a', 'b']],
    });
    expect(listed.stages).toEqual([['c'], ['a', 'b']]);
    expect(needsOf(listed, 'a')).toEqual(['gate:1 success']);
  });
});

describe('a phase barrier', () => {
  test('lets a phase begin when all tasks of the one before have passed', () => {
    const graph = compileGraph(
      graphPlan('phase', [
        { id: 'i', phase: 'implementation' },
        { id: 'a', phase: 'analysis' },
        { id: 'p', phase: 'planning' },
      ]),
    );
    expect(graph.phases).toEqual(['analysis', 'planning', 'implementation']);
    expect(needsOf(graph, 'gate:1')).toEqual(['a passed']);
    expect(needsOf(graph, 'gate:2')).toEqual(['gate:1 success', 'p passed']);
    expect(needsOf(graph, 'i')).toEqual(['gate:2 success']);
    expect(graph.nodes.map(({ group }) => group)).toEqual([3, 1, 2, 1, 2]);
  });

  test('lets a task that asks about failures begin when the phase before has ended', () => {
    const graph = compileGraph(
      graphPlan('phase', [
        { id: 'a', phase: 'analysis' },
        { id: 'p', phase: 'planning', needs: [['a']] },
        { id: 'clean', phase: 'planning', needs: [['a', 'failed']] },
        { id: 'i' },
      ]),
    );
    expect(graph.nodes.slice(4).map(({ id }) => id)).toEqual(['gate:1', 'gate:2', 'gate:1:ended']);
    expect(needsOf(graph, 'clean')).toEqual(['a failed', 'gate:1:ended success']);
    expect(needsOf(graph, 'p')).toEqual(['a success', 'gate:1 success']);
    expect(needsOf(graph, 'gate:1:ended')).toEqual(['a done']);
  });

  test('puts phases of other names where their needs want them', () => {
    const graph = compileGraph(
      graphPlan('phase', [
        { id: 'i', needs: [['d']] },
        { id: 'd', phase: 'discovery' },
        { id: 'r', phase: 'release', needs: [['i']] },
      ]),
    );
    expect(graph.phases).toEqual(['discovery', 'implementation', 'release']);
  });
});

describe('any valid plan', () => {
  test('compiles to a graph without circles, whatever the barrier', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const graph = compileGraph(plan);
        const order = topologicalOrder(graph.nodes.map((node) => node.needs.map(({ from }) => from)));
        expect(order).toHaveLength(graph.nodes.length);
      }),
    );
  });

  test('has every task one level above the highest that it needs', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const graph = compileGraph(plan);
        for (const node of graph.nodes.slice(0, graph.taskCount)) {
          const below = node.needs
            .filter(({ from }) => from < graph.taskCount)
            .map(({ from }) => graph.nodes[from]!.stage);
          expect(node.stage).toBe(1 + Math.max(0, ...below));
        }
      }),
    );
  });

  test('keeps tasks first and in order, and dependents ascending and true', () => {
    fc.assert(
      fc.property(anyPlan(), (plan) => {
        const graph = compileGraph(plan);
        expect(graph.nodes.slice(0, graph.taskCount).map(({ id }) => id)).toEqual(plan.tasks.map(({ id }) => id));
        for (const [index, node] of graph.nodes.entries()) {
          expect(node.index).toBe(index);
          const waiting = graph.nodes
            .filter(({ needs }) => needs.some(({ from }) => from === index))
            .map((other) => other.index);
          expect(node.dependents).toEqual(waiting);
        }
      }),
    );
  });

  test('makes a task wait for all of the group before, when there is a barrier', () => {
    fc.assert(
      fc.property(anyPlan(fc.constantFrom('stage', 'phase')), (plan) => {
        const graph = compileGraph(plan);
        const before = ancestors(graph);
        for (const node of graph.nodes.slice(0, graph.taskCount)) {
          const earlier = graph.nodes.slice(0, graph.taskCount).filter(({ group }) => group < node.group);
          for (const other of earlier) expect(before[node.index]!.has(other.index)).toBe(true);
        }
      }),
    );
  });
});

test('a chain of 10,000 tasks compiles without recursion', () => {
  const tasks = Array.from(
    { length: 10_000 },
    (_, index): { id: string; needs: [string, EdgeCondition & 'success'][] } => ({
      id: `t${index}`,
      needs: index === 0 ? [] : [[`t${index - 1}`, 'success']],
    }),
  );
  for (const barrier of ['none', 'stage', 'phase'] as const) {
    const graph = compileGraph(graphPlan(barrier, tasks));
    expect(graph.nodes[0]!.remainingMinutes).toBe(100_000);
  }
});

function ancestors(graph: Graph): Set<number>[] {
  const found: Set<number>[] = [];
  for (const index of topologicalOrder(graph.nodes.map((node) => node.needs.map(({ from }) => from)))) {
    found[index] = new Set(graph.nodes[index]!.needs.flatMap(({ from }) => [from, ...found[from]!]));
  }
  return found;
}
