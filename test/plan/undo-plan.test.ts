import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../src/plan/graph.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { stageNumbers } from '../../src/plan/stages.ts';
import { compileUndo } from '../../src/plan/undo-plan.ts';
import { anyPlan, codesOf, graphPlan, only, planOf, problemsOf } from './plans.ts';

/** The plan with an undo for the tasks named; for all without names. */
function undoable(plan: Plan, ids = plan.tasks.map(({ id }) => id)): Plan {
  return { ...plan, tasks: plan.tasks.map((task) => (ids.includes(task.id) ? { ...task, undo: 'true' } : task)) };
}

const idsOf = (plan: Plan): Set<string> => new Set(plan.tasks.map(({ id }) => id));

/** `undo-b`: [`undo-c`] for each task of the undo. */
function needsOf(plan: Plan | null): Record<string, string[]> {
  return Object.fromEntries((plan?.tasks ?? []).map(({ id, needs }) => [id, needs.map(({ task }) => task)]));
}

/** All that comes after a task by needs, over any number of tasks. */
function laterThan(plan: Plan, first: string): Set<string> {
  const found = new Set<string>();
  const follow = (id: string): void => {
    for (const task of plan.tasks) {
      if (found.has(task.id) || !task.needs.some((need) => need.task === id)) continue;
      found.add(task.id);
      follow(task.id);
    }
  };
  follow(first);
  return found;
}

const CHAIN = graphPlan('none', [
  { id: 'a' },
  { id: 'b', needs: [['a']] },
  { id: 'c', needs: [['b']] },
  { id: 'd', needs: [['c']] },
]);

describe('the undo of a plan', () => {
  test('takes back what completed, the last first, and reaches over tasks without undo', () => {
    const undo = compileUndo(undoable(CHAIN, ['a', 'c', 'd']), 'run1', new Set(['a', 'b', 'c']))!;
    expect(needsOf(undo)).toEqual({ 'undo-a': ['undo-c'], 'undo-c': [] });
    expect(undo).toMatchObject({ name: 'Undo test', barrier: 'none', onFailure: 'continue' });
    expect(undo.tasks[0]!.needs[0]).toEqual({ task: 'undo-c', when: 'done' });
    expect(undo.tasks[0]!.undoes).toEqual({ run: 'run1', task: 'a', index: 0 });
  });

  test('is nothing where nothing that completed can be undone', () => {
    expect(compileUndo(CHAIN, 'run1', idsOf(CHAIN))).toBeNull();
    expect(compileUndo(undoable(CHAIN, ['d']), 'run1', new Set(['a']))).toBeNull();
  });

  test('is a command with the limits and variables of the task, and without its files, check and approval', () => {
    const plan = planOf(`
name: p
limits: { gpu: 1, agents: 2 }
tasks:
  a:
    agent: noop
    approval: true
    master: security
    phase: validation
    env: { WHO: me }
    takes: [gpu]
    timeout: 5m
    retries: 1
    outputs: [x]
    check: test -e x
    continue-on-error: true
    undo: [rm, -f, x]
`);
    const undo = compileUndo(plan, 'r', new Set(['a']))!;
    expect(undo.limits).toEqual(plan.limits);
    expect(undo.tasks[0]).toMatchObject({
      agent: 'command',
      run: ['rm', '-f', 'x'],
      master: 'security',
      phase: 'validation',
      env: { WHO: 'me' },
      takes: { gpu: 1 },
      timeoutMs: 300_000,
      attempts: 2,
      outputs: [],
      check: null,
      continueOnError: false,
    });
    expect(undo.tasks[0]).not.toHaveProperty('approval');
    expect(undo.tasks[0]).not.toHaveProperty('undo');
  });

  test('gives its tasks folders that no task of the run has', () => {
    const plan = graphPlan('none', [{ id: 'a' }, { id: 'undo-a/x' }, { id: 'b/c' }, { id: 'undo2-b' }]);
    const undo = compileUndo(undoable(plan, ['a', 'b/c']), 'r', idsOf(plan))!;
    expect(undo.tasks.map(({ id }) => id)).toEqual(['undo3-a', 'undo3-b/c']);
  });

  test('has an undo for every pair in reverse order, whatever the graph and the barrier', () => {
    fc.assert(
      fc.property(anyPlan(), fc.infiniteStream(fc.boolean()), (plan, coins) => {
        const flip = (): boolean => coins.next().value === true;
        const some = plan.tasks.map(({ id }) => id).filter(flip);
        const completed = plan.tasks.map(({ id }) => id).filter(flip);
        const chosen = some.filter((id) => completed.includes(id));
        const undo = compileUndo(undoable(plan, some), 'r', new Set(completed));
        expect(undo?.tasks.map(({ undoes }) => undoes!.task).sort() ?? []).toEqual(chosen.sort());
        if (undo === null) return;
        expect(compileGraph(undo).taskCount).toBe(chosen.length);
        const stages = new Map(stageNumbers(plan).map((number, at) => [plan.tasks[at]!.id, number]));
        for (const before of chosen) {
          const later = laterThan(plan, before);
          const undone = laterThan(undo, `undo-${before}`);
          for (const after of chosen) {
            const waited = plan.barrier === 'stage' && stages.get(before)! < stages.get(after)!;
            if (later.has(after) || waited) expect(laterThan(undo, `undo-${after}`)).toContain(`undo-${before}`);
            if (later.has(after)) expect(undone).not.toContain(`undo-${after}`);
          }
        }
      }),
    );
  });

  test('goes by stages where the needs would be too many to write down', () => {
    const wide = (name: string, needs: [string][]) =>
      Array.from({ length: 600 }, (_, at) => ({ id: `${name}${at}`, needs }));
    const plan = graphPlan('none', [
      ...wide('first', []),
      { id: 'hub', needs: Array.from({ length: 600 }, (_, at): [string] => [`first${at}`]) },
      ...wide('second', [['hub']]),
      { id: 'last', needs: [['second0']] },
    ]);
    const undo = compileUndo(undoable(plan), 'r', idsOf(plan))!;
    expect(undo.barrier).toBe('none');
    const over = compileUndo(
      undoable(
        plan,
        [...idsOf(plan)].filter((id) => id !== 'hub'),
      ),
      'r',
      idsOf(plan),
    )!;
    expect(over.barrier).toBe('stage');
    const stages = compileGraph(over).stages;
    expect(stages.map((stage) => stage.length)).toEqual([600, 1, 600]);
    expect(stages[0]).toContain('undo-last');
    expect(stages[1]).toEqual(['undo-second0']);
    expect(stages[2]).toContain('undo-first0');
  });
});

describe('the key "undo"', () => {
  const withUndo = (undo: string): string => `name: p\ntasks:\n  a: { run: x, undo: ${undo} }\n`;

  test('is a command that is not empty', () => {
    expect(planOf(withUndo('[rm, x]')).tasks[0]!.undo).toEqual(['rm', 'x']);
    for (const wrong of ['""', '" "', '[]', '[""]', '5', '{ run: x }'])
      expect(codesOf(withUndo(wrong))).toContain('bad-value');
    expect(only(problemsOf(withUndo('""')), 'bad-value')).toMatchObject({
      message: expect.stringContaining('"undo"'),
      line: 3,
    });
  });

  test('takes matrix values as words, never in a shell line', () => {
    const text = (undo: string) => `name: p\ntasks:\n  a: { run: x, matrix: { os: [linux] }, undo: ${undo} }\n`;
    expect(planOf(text('[rm, "${{ matrix.os }}"]')).tasks[0]!.undo).toEqual(['rm', 'linux']);
    expect(codesOf(text('"rm ${{ matrix.os }}"'))).toContain('matrix-in-shell');
  });

  test('goes with a stand-in for the agent, and stays with any other', () => {
    const text = withUndo('rm x');
    expect(planOf(text, { agent: 'fake' }).tasks[0]).not.toHaveProperty('undo');
    expect(planOf(text, { agent: 'function' }).tasks[0]!.undo).toBe('rm x');
    expect(planOf('name: p\ntasks: { a: { agent: noop, undo: rm x } }').tasks[0]!.undo).toBe('rm x');
  });
});
