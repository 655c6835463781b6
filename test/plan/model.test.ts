import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../src/plan/graph.ts';
import { edgeEffect, finalStates, type TaskEnd } from '../../src/plan/model.ts';
import type { Barrier, EdgeCondition, NeedCondition } from '../../src/plan/plan.ts';
import { anyPlan, graphPlan } from './plans.ts';

type Spec = Parameters<typeof graphPlan>[1];

/** Final states by id, `blocked` with its causes. */
function finals(barrier: Barrier, tasks: Spec, ends: Record<string, TaskEnd> = {}): Record<string, string> {
  const graph = compileGraph(graphPlan(barrier, tasks));
  const states = finalStates(graph, (index) => ends[graph.nodes[index]!.id] ?? 'completed');
  return Object.fromEntries(
    graph.nodes.map(({ id }, index) => [id, [states[index]!.state, ...states[index]!.blockedBy].join(' ')]),
  );
}

describe('what an edge does', () => {
  const STATES = ['completed', 'tolerated', 'failed', 'blocked', 'skipped'] as const;
  test.each<[EdgeCondition, string[]]>([
    ['success', ['met', 'met', 'blocks', 'blocks', 'skips']],
    ['done', ['met', 'met', 'met', 'met', 'met']],
    ['failed', ['skips', 'met', 'met', 'met', 'skips']],
    ['passed', ['met', 'met', 'blocks', 'blocks', 'met']],
  ])('%s after completed, tolerated, failed, blocked, skipped: %j', (when, effects) => {
    expect(STATES.map((state) => edgeEffect(when, state))).toEqual(effects);
  });
});

describe('a failure', () => {
  const DIAMOND: Spec = [
    { id: 'a' },
    { id: 'b', needs: [['a']] },
    { id: 'c', needs: [['b']] },
    { id: 'd', needs: [['c'], ['e']] },
    { id: 'e' },
    { id: 'f', needs: [['e']] },
  ];

  test('blocks all that needs it, over any distance, and nothing else', () => {
    expect(finals('none', DIAMOND, { a: 'failed' })).toEqual({
      a: 'failed',
      b: 'blocked a',
      c: 'blocked a',
      d: 'blocked a',
      e: 'completed',
      f: 'completed',
    });
  });

  test('blocks only what needs it with a stage barrier too', () => {
    expect(finals('stage', DIAMOND, { a: 'failed' })).toMatchObject({
      b: 'blocked a',
      f: 'completed',
      'gate:1': 'completed',
    });
  });

  test('names every root of a blocked task, sorted', () => {
    expect(finals('none', DIAMOND, { e: 'failed', b: 'failed' })).toMatchObject({ c: 'blocked b', d: 'blocked b e' });
  });

  test('blocks nothing when it is tolerated', () => {
    expect(finals('none', DIAMOND, { a: 'tolerated' })).toMatchObject({ b: 'completed', d: 'completed' });
  });

  test('closes the gate of its phase, but not for tasks that ask about failures', () => {
    const tasks: Spec = [
      { id: 'a', phase: 'analysis' },
      { id: 'p', phase: 'planning' },
      { id: 'clean', phase: 'planning', needs: [['a', 'failed']] },
      { id: 'i' },
    ];
    expect(finals('phase', tasks, { a: 'failed' })).toEqual({
      a: 'failed',
      p: 'blocked a',
      clean: 'completed',
      i: 'blocked a',
      'gate:1': 'blocked a',
      'gate:2': 'blocked a',
      'gate:1:ended': 'completed',
    });
    expect(finals('phase', tasks)).toMatchObject({
      p: 'completed',
      clean: 'skipped',
      i: 'completed',
      'gate:2': 'completed',
    });
  });
});

test('a task for failures is skipped when there is none, and what needs it is skipped as well', () => {
  const tasks: Spec = [
    { id: 'a' },
    { id: 'clean', needs: [['a', 'failed']] },
    { id: 'after', needs: [['clean']] },
    { id: 'last', needs: [['after', 'done']] },
  ];
  expect(finals('none', tasks)).toEqual({ a: 'completed', clean: 'skipped', after: 'skipped', last: 'completed' });
  expect(finals('none', tasks, { a: 'failed' })).toEqual({
    a: 'failed',
    clean: 'completed',
    after: 'completed',
    last: 'completed',
  });
});

describe('any plan with any failures', () => {
  const anyRun = fc.tuple(anyPlan(), fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }));

  test('ends: every node has a final state, and blocked ones have a cause that failed', () => {
    fc.assert(
      fc.property(anyRun, ([plan, fails]) => {
        const graph = compileGraph(plan);
        const states = finalStates(graph, (index) => endOf(plan.tasks[index]!.continueOnError, fails[index]!));
        const failed = new Set(graph.nodes.filter((_, index) => states[index]?.state === 'failed').map(({ id }) => id));
        for (const [index] of graph.nodes.entries()) {
          const { state, blockedBy } = states[index]!;
          expect(blockedBy.length > 0).toBe(state === 'blocked');
          expect(blockedBy.every((id) => failed.has(id))).toBe(true);
        }
      }),
    );
  });

  test('does not depend on a stage barrier', () => {
    fc.assert(
      fc.property(anyRun, ([plan, fails]) => {
        const statesWith = (barrier: Barrier) => {
          const graph = compileGraph({ ...plan, barrier });
          return finalStates(graph, (index) => endOf(plan.tasks[index]!.continueOnError, fails[index]!)).slice(
            0,
            graph.taskCount,
          );
        };
        expect(statesWith('stage')).toEqual(statesWith('none'));
      }),
    );
  });
});

function endOf(isTolerated: boolean, fails: boolean): TaskEnd {
  return fails ? (isTolerated ? 'tolerated' : 'failed') : 'completed';
}

test.each<NeedCondition>(['success', 'done', 'failed'])('a need with %s never waits for ever', (when) => {
  for (const end of ['completed', 'failed', 'tolerated'] as const) {
    expect(finals('none', [{ id: 'a' }, { id: 'b', needs: [['a', when]] }], { a: end }).b).toMatch(
      /completed|blocked a|skipped/,
    );
  }
});
