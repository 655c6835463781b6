import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunModel } from '../../../src/cli/live/model.ts';
import { renderTree } from '../../../src/cli/live/tree.ts';
import { colored, plain, UNICODE_GLYPHS } from '../../../src/cli/terminal/style.ts';
import { columnsOf } from '../../../src/cli/terminal/text.ts';
import type { RunView, TaskView } from '../../../src/flows/run-view.ts';
import { TASK_STATES, type TaskState } from '../../../src/plan/states.ts';
import { makeRunView, STARTED_AT } from '../../support/run-view.ts';

const WIDE = { columns: 80, height: 22, now: STARTED_AT + 4200, style: plain, glyphs: UNICODE_GLYPHS };

function render(view: RunView, options: Partial<typeof WIDE> = {}): string[] {
  return renderTree(new RunModel(view), { ...WIDE, ...options });
}

/** Stages of these states, one task a word. */
function stagesOf(...stages: TaskState[][]): RunView {
  return makeRunView(
    stages.flatMap((states, at) =>
      states.map((state, n): Partial<TaskView> => ({ id: `s${at + 1}-t${n + 1}`, title: 'T', state, stage: at + 1 })),
    ),
  );
}

describe('the tree', () => {
  it('shows the run, its stages and their tasks', () => {
    const startedAt = new Date(STARTED_AT + 1000).toISOString();
    const view = makeRunView([
      { id: 'design', state: 'completed', durationMs: 1000, attempt: 1, title: 'Design' },
      { id: 'build', state: 'running', attempt: 2, startedAt, stage: 2, title: 'Build' },
      { id: 'docs', state: 'failed', attempt: 3, durationMs: 20, reason: 'Exit code 7', stage: 2 },
      { id: 'ship', state: 'blocked', blockedBy: ['docs'], stage: 3 },
    ]);
    expect(render(view)).toEqual([
      'Build it  abcdefghjk  running  4.2 s  1/4  ● 1 running  ✖ 1 failed  ■ 1 blocked',
      'stage 1',
      '  ✔ design    1.0 s  Design',
      'stage 2',
      expect.stringMatching(/^ {2}. build {5}3\.2 s {2}attempt 2 {2}Build$/),
      '  ✖ docs      20 ms  attempt 3  Exit code 7',
      'stage 3',
      '  ■ ship             blocked by docs',
    ]);
  });

  it('shrinks completed stages first, then those not begun, then both together', () => {
    const view = stagesOf(
      ['completed', 'completed'],
      ['completed'],
      ['running', 'ready'],
      ['pending'],
      ['pending', 'pending'],
    );
    expect(render(view, { height: 11 }).map((line) => line.trim().split('  ')[0])).toEqual([
      'Build it',
      '✔ stage 1',
      '✔ stage 2',
      'stage 3',
      expect.stringContaining('s3-t1'),
      expect.stringContaining('s3-t2'),
      'stage 4',
      '· s4-t1',
      'stage 5',
      '· s5-t1',
      '· s5-t2',
    ]);
    expect(render(view, { height: 8 }).slice(-2)).toEqual(['· stage 4  1 task pending', '· stage 5  2 tasks pending']);
    const short = render(view, { height: 6 });
    expect(short[1]).toBe('✔ stages 1-2  3 tasks completed');
    expect(short.at(-1)).toBe('· stages 4-5  3 tasks pending');
  });

  it('leaves out what tells least, and says how much', () => {
    const view = stagesOf([
      ...Array<TaskState>(500).fill('completed'),
      'failed',
      'running',
      ...Array<TaskState>(498).fill('ready'),
    ]);
    const lines = render(view, { height: 6 });
    expect(lines).toHaveLength(6);
    expect(lines.join('\n')).toMatch(/s1-t501[\s\S]*s1-t502/);
    expect(lines.at(-1)).toBe('… 997 more (500 completed, 497 ready)');
  });

  it('shortens a long name rather than losing counts', () => {
    const name = 'A very long name of a plan that somebody has written with great care and no thought of terminals';
    const view = makeRunView([{ state: 'running' }, { state: 'failed' }, { state: 'blocked' }], 'running', name);
    const counts = '  ● 1 running  ✖ 1 failed  ■ 1 blocked';
    const head = (columns: number): string => render(view, { columns })[0]!;
    expect(head(90)).toBe(`A very long name o…  abcdefghjk  running  4.2 s  0/3${counts}`);
    expect(columnsOf(head(90))).toBe(90);
    expect(head(80)).toBe('A very long name of a plan that so…  abcdefghjk  running  4.2 s  0/3  ●1  ✖1  ■1');
    expect(head(50)).toBe('A ve…  abcdefghjk  running  4.2 s  0/3  ●1  ✖1  ■1');
  });

  it('names a gate that waited before it was followed', () => {
    const model = new RunModel(makeRunView([{ state: 'running' }]), new Map([[1, 'gate:1']]), ['gate:1']);
    model.reset(model.view());
    expect(renderTree(model, WIDE)[0]).toContain('approval wanted: gate:1');
  });

  it('is one line where there is room for no more', () => {
    expect(render(stagesOf(['running'], ['pending']), { height: 1 })).toHaveLength(1);
    expect(render(stagesOf(['running'], ['pending']), { height: 0 })).toHaveLength(1);
  });

  it('lets no title, reason or message out of its line', () => {
    const hostile = 'x\u001b[2J\u001b]0;t\u0007\ny\r\u202ez';
    const view = makeRunView(
      [
        { title: hostile, id: 'a' },
        { state: 'failed', reason: hostile, id: 'b' },
        { state: 'running', id: 'c' },
      ],
      'running',
      hostile,
    );
    const model = new RunModel(view);
    model.tasks[2]!.message = hostile;
    const lines = renderTree(model, WIDE);
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(lines.filter((line) => line.endsWith('x y z'))).toHaveLength(3);
  });

  it('fits any terminal, with any tasks', () => {
    const task = fc.record({
      id: fc.stringMatching(/^[a-z][a-z0-9/-]{0,60}$/),
      title: fc.string({ unit: 'grapheme' }),
      state: fc.constantFrom(...TASK_STATES),
      stage: fc.integer({ min: 1, max: 10 }),
      attempt: fc.integer({ min: 0, max: 3 }),
      reason: fc.option(fc.string({ unit: 'binary' })),
    });
    const size = { columns: fc.integer({ min: 1, max: 200 }), height: fc.integer({ min: 1, max: 60 }) };
    fc.assert(
      fc.property(fc.array(task, { maxLength: 80 }), fc.record(size), (tasks, { columns, height }) => {
        const lines = render(makeRunView(tasks), { columns, height });
        expect(lines.length).toBeLessThanOrEqual(height);
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('has colours only when they are on', () => {
    const view = stagesOf(['completed'], ['failed']);
    expect(render(view).join('')).not.toContain('\u001b');
    expect(render(view, { style: colored }).join('')).toContain('\u001b[32m✔\u001b[0m');
  });

  it('never says that something began in the future', () => {
    const startedAt = new Date(STARTED_AT + 60_000).toISOString();
    expect(render(makeRunView([{ state: 'running', startedAt }])).join('\n')).toContain('0 ms');
  });
});
