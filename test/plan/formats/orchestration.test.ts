import { describe, expect, test } from 'vitest';
import { parsePlan } from '../../../src/plan/parse.ts';
import { OPTIONS } from '../plans.ts';

const SUBTASKS = [
  {
    subtask_id: 'shop-1-design',
    parent_task_id: 'shop-1',
    title: 'Design',
    description: 'Design the cart.',
    assigned_to: 'development',
    worker_type: 'planner',
    dependencies: [],
    estimated_duration_minutes: 15,
    estimated_tokens: 5000,
    files_affected: ['a'],
    success_criteria: 'A design is there',
    status: 'pending',
    created_at: '2025-11-01T00:00:00Z',
  },
  {
    subtask_id: 'shop-1-build',
    title: 'Build',
    description: 'Build the cart.',
    assigned_to: 'Development',
    dependencies: ['shop-1-design'],
    estimated_duration: '20-30 minutes',
    estimated_tokens: '10-15k',
  },
  {
    subtask_id: 'shop-1-scan',
    title: 'Scan',
    assigned_to: 'security',
    dependencies: ['shop-1-design'],
    success_criteria: ['no finding', 'a report'],
  },
];

function read(change: Record<string, unknown> = {}, strict = false) {
  const document = {
    orchestration_id: 'orch-shop-1',
    parent_task_id: 'shop-1',
    task_title: 'Build a cart',
    complexity: 'high',
    created_at: 'x',
    status: 'planning',
    subtasks: SUBTASKS,
    execution_plan: { stage_2: ['shop-1-build', 'shop-1-scan'], stage_1: ['shop-1-design'] },
    ...change,
  };
  return parsePlan(
    { kind: 'file', file: 'orch.json', text: JSON.stringify(document, null, 1) },
    { ...OPTIONS, agent: 'fake', strict },
  );
}

const codes = (change: Record<string, unknown>) => {
  const parsed = read(change);
  return (parsed.ok ? parsed.value.problems : parsed.error).map(({ code }) => code);
};

describe('an orchestration file', () => {
  test('is a plan whose stages are its execution plan, by their numbers', () => {
    const parsed = read({}, true);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    expect(parsed.value.plan).toMatchObject({
      name: 'Build a cart',
      barrier: 'stage',
      stages: [['shop-1-design'], ['shop-1-build', 'shop-1-scan']],
      source: { format: 'orchestration' },
    });
    expect(parsed.value.plan.tasks).toMatchObject([
      {
        id: 'shop-1-design',
        master: 'development',
        phase: 'implementation',
        prompt: 'Design the cart.\n\nSuccess criteria:\nA design is there',
        estimate: { minMinutes: 15, maxMinutes: 15, tokens: 5000 },
        agent: 'fake',
      },
      {
        master: 'development',
        needs: [{ task: 'shop-1-design', when: 'success' }],
        estimate: { minMinutes: 20, maxMinutes: 30, tokens: 15_000 },
      },
      { master: 'security', prompt: 'Success criteria:\n- no finding\n- a report', estimate: null },
    ]);
  });

  test('without an execution plan has the levels of its dependencies as stages', () => {
    const parsed = read({ execution_plan: undefined });
    expect(parsed.ok && parsed.value.plan.stages).toBeNull();
  });

  test('needs an agent from outside, since the format has none', () => {
    const parsed = parsePlan(
      { kind: 'file', file: 'o.json', text: JSON.stringify({ orchestration_id: 'o', subtasks: SUBTASKS }) },
      OPTIONS,
    );
    expect(!parsed.ok && parsed.error.map(({ code, message }) => [code, message])).toEqual([
      ['no-agent', 'task "shop-1-design" and 2 more have neither "run" nor "agent"'],
    ]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ['leaves one out', { stage_1: ['shop-1-design'], stage_2: ['shop-1-build'] }, ['stage-missing-task']],
    [
      'names an unknown one',
      { stage_1: ['shop-1-design'], stage_2: ['shop-1-build', 'shop-1-scan', 'shop-1-bild'] },
      ['unknown-stage-task'],
    ],
    [
      'names one twice',
      { stage_1: ['shop-1-design', 'shop-1-design'], stage_2: ['shop-1-build', 'shop-1-scan'] },
      ['stage-duplicate-task'],
    ],
    [
      'puts a dependency into the same stage',
      { stage_1: ['shop-1-design', 'shop-1-build'], stage_2: ['shop-1-scan'] },
      ['stage-order'],
    ],
    [
      'puts a dependency into a later stage',
      { stage_1: ['shop-1-build'], stage_2: ['shop-1-design'], stage_3: ['shop-1-scan'] },
      ['stage-order'],
    ],
    [
      'has another kind of key',
      { first: ['shop-1-design'], stage_2: ['shop-1-build', 'shop-1-scan'] },
      ['bad-stage-name', 'stage-order', 'stage-order'],
    ],
  ])('is refused when its execution plan %s', (_, plan, expected) => {
    expect(codes({ execution_plan: plan }).sort()).toEqual(expected);
  });

  test('has at most ten stages, whatever the barrier', () => {
    const subtasks = Array.from({ length: 11 }, (_, index) => ({
      subtask_id: `s${index}`,
      dependencies: index === 0 ? [] : [`s${index - 1}`],
    }));
    expect(codes({ subtasks, execution_plan: undefined })).toEqual(['too-many-stages']);
    const text = JSON.stringify({ orchestration_id: 'o', subtasks });
    const parsed = parsePlan({ kind: 'file', file: 'o.json', text }, { ...OPTIONS, agent: 'fake', barrier: 'none' });
    expect(!parsed.ok && parsed.error.map(({ code }) => code)).toEqual(['too-many-stages']);
  });

  test('is warned about when a subtask is too big', () => {
    const subtasks = [
      {
        ...SUBTASKS[0],
        estimated_duration_minutes: 31,
        estimated_tokens: 20_001,
        files_affected: ['a', 'b', 'c', 'd'],
      },
    ];
    expect(codes({ subtasks, execution_plan: undefined }).sort()).toEqual(['long-task', 'many-files', 'many-tokens']);
  });

  test('written by a newer tool is read, and its unknown keys are noted', () => {
    expect(codes({ version: 5 })).toEqual(['unknown-key']);
    expect(read({ version: 5 }, true).ok).toBe(true);
  });

  test('that is broken is reported with line and column', () => {
    const parsed = parsePlan(
      { kind: 'file', file: 'o.json', text: '{\n "orchestration_id": "o",\n "subtasks": ,\n}' },
      OPTIONS,
    );
    expect(!parsed.ok && parsed.error[0]).toMatchObject({ code: expect.any(String), file: 'o.json' });
    expect(codes({ subtasks: [{ title: 'x' }] })).toEqual(['missing-key']);
  });
});
