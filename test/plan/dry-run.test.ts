import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RunLimits, simulate } from '../../src/plan/dry-run.ts';
import { compileGraph } from '../../src/plan/graph.ts';
import { finalStates } from '../../src/plan/model.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { anyPlan, graphPlan } from './plans.ts';

const LIMITS: RunLimits = { agents: 10, phases: {}, masters: {}, resources: {} };
const startsOf = (plan: Plan, limits: Partial<RunLimits> = {}) =>
  simulate(plan, compileGraph(plan), { ...LIMITS, ...limits }).map(
    ({ task, startMinute, endMinute }) => `${task} ${startMinute}-${endMinute}`,
  );

describe('a dry run', () => {
  test('starts what is ready side by side, the longest way first', () => {
    const plan = graphPlan('none', [
      { id: 'a', minutes: 1 },
      { id: 'b', minutes: 5 },
      { id: 'c', needs: [['a']], minutes: 9 },
    ]);
    expect(startsOf(plan)).toEqual(['a 0-1', 'b 0-5', 'c 1-10']);
  });

  test('keeps to the number of agents, critical tasks first', () => {
    const plan = graphPlan('none', [
      { id: 'a', minutes: 5 },
      { id: 'b', minutes: 5 },
      { id: 'c', minutes: 5 },
    ]);
    plan.tasks[2]!.priority = 'critical';
    expect(startsOf(plan, { agents: 1 })).toEqual(['c 0-5', 'a 5-10', 'b 10-15']);
  });

  test('lets other phases go on when one is full', () => {
    const plan = graphPlan('none', [
      { id: 'a', phase: 'planning', minutes: 5 },
      { id: 'b', phase: 'planning', minutes: 5 },
      { id: 'c', minutes: 5 },
    ]);
    expect(startsOf(plan, { phases: { planning: 1 } })).toEqual(['a 0-5', 'c 0-5', 'b 5-10']);
  });

  test('keeps a resource free for the big task that waits for it', () => {
    const plan = graphPlan('none', [
      { id: 'first', minutes: 5 },
      { id: 'big', minutes: 5 },
      { id: 'small', minutes: 5 },
    ]);
    plan.tasks[0]!.takes = { gpu: 1 };
    plan.tasks[1]!.takes = { gpu: 2 };
    plan.tasks[2]!.takes = { gpu: 1 };
    expect(startsOf(plan, { resources: { gpu: 2 } })).toEqual(['first 0-5', 'big 5-10', 'small 10-15']);
  });

  test('leaves out tasks that only a failure would start', () => {
    expect(
      startsOf(
        graphPlan('none', [
          { id: 'a' },
          { id: 'clean', needs: [['a', 'failed']] },
          { id: 'b', needs: [['clean', 'done']] },
        ]),
      ),
    ).toEqual(['a 0-10', 'b 10-20']);
  });

  test('waits for the whole stage before', () => {
    expect(
      startsOf(
        graphPlan('stage', [
          { id: 'a', minutes: 1 },
          { id: 'b', minutes: 9 },
          { id: 'c', needs: [['a']], minutes: 1 },
        ]),
      ),
    ).toEqual(['b 0-9', 'a 0-1', 'c 9-10']);
  });

  test('ends when a task fits into no limit', () => {
    expect(startsOf(graphPlan('none', [{ id: 'a' }]), { agents: 0 })).toEqual([]);
  });
});

test('any dry run starts every task that runs exactly once, after its needs, within the limits', () => {
  const limits = { agents: 3, phases: { planning: 1, implementation: 2 }, masters: {}, resources: {} };
  fc.assert(
    fc.property(anyPlan(), (plan) => {
      const graph = compileGraph(plan);
      const starts = simulate(plan, graph, limits);
      const byTask = new Map(starts.map((start) => [start.task, start]));
      const runs = finalStates(graph, () => 'completed')
        .slice(0, graph.taskCount)
        .filter(({ state }) => state === 'completed');
      expect(starts).toHaveLength(runs.length);
      for (const { id, needs } of plan.tasks) {
        for (const need of needs) {
          const before = byTask.get(need.task);
          const after = byTask.get(id);
          if (before !== undefined && after !== undefined)
            expect(after.startMinute).toBeGreaterThanOrEqual(before.endMinute);
        }
      }
      for (const { startMinute } of starts) {
        const running = starts.filter((other) => other.startMinute <= startMinute && other.endMinute > startMinute);
        expect(running.length).toBeLessThanOrEqual(3);
        expect(
          running.filter(({ task }) => plan.tasks.find(({ id }) => id === task)!.phase === 'planning').length,
        ).toBeLessThanOrEqual(1);
      }
    }),
  );
});
