import { describe, expect, test } from 'vitest';
import { criticalPath } from '../../../src/plan/estimate.ts';
import { type FolderFile, isTaskFile } from '../../../src/plan/formats/markdown-folder.ts';
import { compileGraph } from '../../../src/plan/graph.ts';
import { type ParseOptions, parsePlan } from '../../../src/plan/parse.ts';
import { formatProblem } from '../../../src/runtime/problem.ts';
import { OPTIONS } from '../plans.ts';
import { TASK_FOLDER } from './task-folder.ts';

function read(files: FolderFile[] = TASK_FOLDER, options: Partial<ParseOptions> = {}) {
  return parsePlan({ kind: 'folder', folder: 'project/tasks', files }, { ...OPTIONS, ...options });
}

function problemsOf(...lines: string[]): string[] {
  const parsed = read([{ path: '01-analysis/01-a.md', text: lines.join('\n') }]);
  return (parsed.ok ? parsed.value.problems : parsed.error).map(formatProblem);
}

function planOf(files?: FolderFile[]) {
  const parsed = read(files);
  if (!parsed.ok) throw new Error(parsed.error.map(formatProblem).join('\n'));
  return parsed.value.plan;
}

describe('a folder of task files', () => {
  test('is a plan without barrier, named after its project', () => {
    expect(planOf()).toMatchObject({
      name: 'project',
      barrier: 'none',
      source: { format: 'markdown', file: 'project/tasks' },
    });
    expect(planOf().tasks.map(({ id }) => id)).toEqual([
      '01-analysis/01-measure',
      '01-analysis/02-sort',
      '02-planning/01-choose',
      '03-implementation/01-build',
    ]);
  });

  test('may say how a task is taken back', () => {
    const withUndo = (line: string) => ['---', 'task_id: "01-analysis/01-a"', line, '---', 'Do it'];
    const plan = planOf([{ path: '01-analysis/01-a.md', text: withUndo('undo: "rm -f x"').join('\n') }]);
    expect(plan.tasks[0]!.undo).toBe('rm -f x');
    expect(problemsOf(...withUndo('undo: ""')).join()).toContain('"undo" must not be empty');
  });

  test('gives each task its command, its text and its phase without number', () => {
    const [measure, sort, choose, build] = planOf().tasks;
    expect(measure).toMatchObject({
      title: 'Measure what is slow',
      agent: 'command',
      run: ['agent', 'run', 'project/tasks/01-analysis/01-measure.md'],
      prompt: '# Measure\n\nRun the benchmarks.',
      phase: 'analysis',
      estimate: { minMinutes: 120, maxMinutes: 240 },
    });
    expect(sort).toMatchObject({
      title: '01-analysis/02-sort',
      phase: 'analysis',
      needs: [{ task: '01-analysis/01-measure', when: 'success' }],
    });
    expect(choose).toMatchObject({ priority: 'high', master: 'development' });
    expect(build).toMatchObject({ phase: 'implementation', title: 'Build it' });
  });

  test('reads files that are not valid YAML, and says what it ignored and where', () => {
    const parsed = read();
    const notes = parsed.ok
      ? parsed.value.problems.filter(({ severity }) => severity === 'note').map(formatProblem)
      : [];
    expect(notes).toEqual([
      'project/tasks/00-TASK-GRAPH.md:1:1: note graph-differs: not drawn: 01-analysis/02-sort, 03-implementation/01-build',
      'project/tasks/00-TASK-GRAPH.md:5:1: note graph-differs: drawn, but without a task file: 03-implementation/09-gone',
      'project/tasks/03-implementation/01-build.md:9:21: note ignored-text: ignored "(200 files)"',
      'project/tasks/03-implementation/01-build.md:11:19: note ignored-text: ignored "(modified)"',
      'project/tasks/03-implementation/01-build.md:14:1: note unknown-key: ignored the unknown key "owner"',
    ]);
    expect(planOf().tasks[3]!.outputs.map(({ candidates }) => candidates)).toEqual([
      [{ base: 'project', path: 'src/fast.rs' }],
      [{ base: 'workspace', path: 'outputs/03-implementation/01-build/report.md' }],
    ]);
  });

  test('finds inputs in all their spellings, and warns of those that no task declares', () => {
    const parsed = read();
    const warnings = parsed.ok ? parsed.value.problems.filter(({ severity }) => severity === 'warning') : [];
    expect(warnings.map(({ code }) => code)).toEqual([
      'long-task',
      'undeclared-input',
      'long-task',
      'timeout-below-estimate',
    ]);
    expect(warnings[1]).toMatchObject({ file: 'project/tasks/02-planning/01-choose.md', line: 7, column: 5 });
    expect(planOf().tasks[2]!.inputs.map(({ candidates }) => candidates[0])).toEqual([
      { base: 'workspace', path: 'outputs/01-analysis/02-sort/order.md' },
      { base: 'workspace', path: 'outputs/01-analysis/01-measure/profiles/cpu.svg' },
      { base: 'workspace', path: 'outputs/02-planning/01-analysis/02-sort/missing.json' },
    ]);
  });

  test('can be given gates between its phases', () => {
    const parsed = read(TASK_FOLDER, { barrier: 'phase' });
    if (!parsed.ok) throw new Error('refused');
    const graph = compileGraph(parsed.value.plan);
    expect(graph.phases).toEqual(['analysis', 'planning', 'implementation']);
    expect(criticalPath(parsed.value.plan, graph).maxMinutes).toBe(240 + 10 + 10 + 840);
  });

  test('without any task file is refused', () => {
    const parsed = read(TASK_FOLDER.slice(0, 5));
    expect(!parsed.ok && parsed.error[0]).toMatchObject({ code: 'no-tasks', file: 'project/tasks' });
  });
});

test.each([
  ['01-analysis/01-a.md', true],
  ['06-release/x.md', true],
  ['99-x/a/b.md', true],
  ['00-setup/a.md', false],
  ['analysis/a.md', false],
  ['01-a.md', false],
  ['01-analysis/README.md', false],
  ['01-analysis/TEMPLATE.md', false],
  ['01-analysis/TEMPLATE-x.md', false],
  ['01-analysis/00-index.md', false],
  ['01-analysis/a.txt', false],
  ['01-analysis/.hidden/a.md', false],
])('%s is a task file: %s', (path, expected) => {
  expect(isTaskFile(path)).toBe(expected);
});

describe('front matter', () => {
  test('that is missing or does not end is an error', () => {
    expect(problemsOf('# Title')[0]).toContain('01-a.md:1:1: error no-front-matter');
    expect(problemsOf('---', 'title: x')[0]).toContain('does not end');
  });

  test('may have a byte order mark, Windows line ends and comments', () => {
    const parsed = read([
      {
        path: '01-analysis/01-a.md',
        text: '\uFEFF---\r\n# about\r\ntitle: A task # really\r\noutputs: [a.md]\r\n---\r\n\r\nBody.\r\n',
      },
    ]);
    expect(parsed.ok && parsed.value.plan.tasks[0]).toMatchObject({
      title: 'A task',
      prompt: 'Body.',
      outputs: [{ text: 'a.md' }],
    });
  });

  test('wins over the path of the file, with a warning', () => {
    expect(problemsOf('---', 'task_id: 01-analysis/other', 'phase: planning', '---')).toEqual([
      'project/tasks/01-analysis/01-a.md:2:1: warning task-id-differs: "task_id" is "01-analysis/other", but the file is "01-analysis/01-a"',
      'project/tasks/01-analysis/01-a.md:3:1: warning phase-differs: "phase" is "planning", but the folder is of "analysis"',
    ]);
  });

  test('with mistakes says where they are', () => {
    expect(
      problemsOf(
        '---',
        'estimated_duration: soon',
        'priority: hihg',
        'dependencies: [01-analysis/02-b]',
        'outputs: [../x]',
        '---',
      ).map((text) => text.replace(/ \(did.*/, '').replace(/:.*?error/, ' error')),
    ).toHaveLength(4);
    expect(problemsOf('---', 'dependencies: ["01-analysis/02-b"]', '---')[0]).toContain(
      '01-a.md:2:16: error unknown-need',
    );
  });

  test('is read line by line when it is not YAML: quotes, inline lists, lines of no form', () => {
    const lines = [
      '---',
      'title: "A \\"quoted\\" title" and more',
      "priority: 'low' # comment",
      'inputs: ["a, b.txt", c.txt]',
      'outputs:',
      "  - 'it''s.md' (new)",
      '  - plain.md',
      'what is this',
      '---',
    ];
    const parsed = read([{ path: '01-analysis/01-a.md', text: lines.join('\n') }]);
    if (!parsed.ok) throw new Error('refused');
    expect(parsed.value.plan.tasks[0]).toMatchObject({
      title: 'A "quoted" title',
      priority: 'low',
      inputs: [{ text: 'a, b.txt' }, { text: 'c.txt' }],
      outputs: [{ text: "it's.md" }, { text: 'plain.md' }],
    });
    expect(parsed.value.problems.map(({ line, message }) => [line, message])).toEqual([
      [2, 'ignored "and more"'],
      [6, 'ignored "(new)"'],
      [8, 'ignored "what is this"'],
    ]);
  });

  test('of two files with one id is refused', () => {
    const text = '---\ntask_id: 01-analysis/01-a\n---\n';
    const parsed = read([
      { path: '01-analysis/01-a.md', text },
      { path: '01-analysis/01-b.md', text },
    ]);
    expect(!parsed.ok && parsed.error.map(({ code, file }) => [code, file])).toEqual([
      ['task-id-differs', 'project/tasks/01-analysis/01-b.md'],
      ['duplicate-task', 'project/tasks/01-analysis/01-b.md'],
    ]);
  });
});
