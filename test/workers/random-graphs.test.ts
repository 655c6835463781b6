/**
 * Random graphs under all three barriers: nothing starts before its needs, every run ends, and the final states are those
 * of the simple model.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/agents/agent.ts';
import { finalStates, type TaskEnd } from '../../src/plan/model.ts';
import type { Barrier } from '../../src/plan/plan.ts';
import { createTestApp, type LoadedTestPlan, testPlan } from '../support/app.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

const PHASES = ['analysis', 'planning', 'implementation'];

interface Shape {
  needs: { to: number; when: 'success' | 'done' | 'failed' }[];
  fails: boolean;
  tolerated: boolean;
  phase: number;
}

const shape = fc.record({
  needs: fc.uniqueArray(
    fc.record({
      to: fc.nat(30),
      when: fc.constantFrom('success' as const, 'success' as const, 'done' as const, 'failed' as const),
    }),
    { maxLength: 3, selector: (need) => need.to },
  ),
  fails: fc.nat(4).map((value) => value === 0),
  tolerated: fc.nat(5).map((value) => value === 0),
  phase: fc.nat(2),
});

/** Needs point to earlier tasks; phases only grow along an edge, and stages stay within ten. */
function toPlan(shapes: readonly Shape[], barrier: Barrier, kinds: ReadonlySet<string>): LoadedTestPlan {
  const depth: number[] = [];
  const phase: number[] = [];
  const tasks: Record<string, unknown> = {};
  shapes.forEach((item, index) => {
    const needs =
      index === 0
        ? []
        : item.needs.map((need) => ({ ...need, to: need.to % index })).filter((need) => depth[need.to]! < 9);
    const unique = [...new Map(needs.map((need) => [need.to, need])).values()];
    depth[index] = Math.max(0, ...unique.map((need) => depth[need.to]! + 1));
    phase[index] = Math.max(item.phase, ...unique.map((need) => phase[need.to]!));
    tasks[`t${index}`] = {
      agent: 'scripted',
      retries: 0,
      phase: PHASES[phase[index]!],
      'continue-on-error': item.tolerated,
      needs: unique.map((need) => ({ task: `t${need.to}`, when: need.when })),
    };
  });
  return testPlan({ barrier, limits: { phases: { analysis: 3, planning: 2, implementation: 3 } }, tasks }, kinds);
}

test.each(['none', 'stage', 'phase'] as const)(
  'with barrier %s a run of any graph ends as the model says',
  async (barrier) => {
    const app = await createTestApp();
    const fails = new Map<string, boolean>();
    const faults: string[] = [];
    const plans = new Map<string, LoadedTestPlan>();
    const ended = new Map<string, Set<string>>();
    const agent = createScriptedAgent(({ runId, task }): Outcome => {
      const done = ended.get(runId) ?? new Set();
      for (const need of task.needs) {
        if (need.when === 'success' && !done.has(need.task))
          faults.push(`${runId} ${task.id} started before ${need.task}`);
      }
      const fail = fails.get(`${runId}.${task.id}`) === true;
      if (!fail || plans.get(runId)?.plan.tasks.find((other) => other.id === task.id)?.continueOnError)
        done.add(task.id);
      ended.set(runId, done);
      return fail ? { kind: 'retryable', reason: 'Exit code 1', exitCode: 1 } : { kind: 'completed' };
    });
    await app.startPool({ agents: agent.agents });
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 24 }), async (shapes) => {
        const plan = toPlan(shapes, barrier, agent.kinds);
        const end = (index: number): TaskEnd =>
          !shapes[index]!.fails ? 'completed' : shapes[index]!.tolerated ? 'tolerated' : 'failed';
        const model = finalStates(plan.graph, end);
        const { runId } = await app.submit(plan, { workspace: `w-${plans.size}`, key: `k-${plans.size}` });
        plans.set(runId, plan);
        shapes.forEach((item, index) => void fails.set(`${runId}.t${index}`, item.fails));
        const view = await app.atRest(runId);
        expect(faults).toEqual([]);
        const real = view.tasks.map((task) => ({ state: task.state, blockedBy: task.blockedBy }));
        const expected = model
          .slice(0, shapes.length)
          .map(({ state, blockedBy }) => ({ state: state === 'tolerated' ? 'failed' : state, blockedBy }));
        expect(real).toEqual(expected);
        const isClean = expected.every(
          (task, index) =>
            ['completed', 'skipped'].includes(task.state) || (task.state === 'failed' && shapes[index]!.tolerated),
        );
        expect(view.run.state).toBe(isClean ? 'completed' : 'blocked');
      }),
      { numRuns: 40 },
    );
    expect(await app.store.redis.hgetall(app.store.keys.used)).toEqual({});
  },
);
