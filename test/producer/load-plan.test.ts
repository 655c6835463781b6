import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { simulate } from '../../src/plan/dry-run.ts';
import { criticalPath } from '../../src/plan/estimate.ts';
import { finalStates } from '../../src/plan/model.ts';
import { type LoadOptions, loadPlan } from '../../src/producer/load-plan.ts';
import { PlanqError } from '../../src/runtime/errors.ts';

const BASE = { knownAgents: new Set(['command', 'fake']), resources: {} };
let cwd: string;
const load = (file: string, options: Partial<LoadOptions> = {}) => loadPlan(file, { ...BASE, cwd, ...options });
const failure = async (file: string): Promise<PlanqError> => {
  const error: unknown = await load(file).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PlanqError)) throw new Error(`no error of ours: ${String(error)}`);
  return error;
};
const write = async (file: string, text: string): Promise<void> => {
  await mkdir(path.dirname(path.join(cwd, file)), { recursive: true });
  await writeFile(path.join(cwd, file), text);
};

beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'planq-load-'));
});
afterEach(async () => {
  await rm(cwd, { recursive: true, force: true });
});

describe('a plan on disk', () => {
  test('is read, checked and compiled; files are shown relative to the working directory', async () => {
    await write('plans/a.yaml', 'name: a\ntasks: { x: { run: "true" } }');
    const { plan, graph, problems } = await load(path.join(cwd, 'plans/a.yaml'));
    expect(plan.source.file).toBe('plans/a.yaml');
    expect(graph.stages).toEqual([['x']]);
    expect(problems).toEqual([]);
  });

  test('that is not there is answered with the nearest name', async () => {
    await write('plans/authentication.yaml', '');
    expect(await failure('plans/autentication.yaml')).toMatchObject({
      code: 'plan_not_found',
      message: 'cannot read plan "plans/autentication.yaml": no such file or folder',
      hint: 'did you mean "plans/authentication.yaml"?',
      exitCode: 5,
    });
    expect(await failure('nowhere/a.yaml')).toMatchObject({ code: 'plan_not_found', hint: undefined });
  });

  test('with mistakes carries all of them', async () => {
    await write('a.yaml', 'nme: a\ntasks: { x: {} }');
    const error = await failure('a.yaml');
    expect(error).toMatchObject({
      code: 'plan_invalid',
      exitCode: 3,
      message: 'cannot use plan "a.yaml": it has 3 mistakes',
    });
    expect(error.facts.problems).toMatchObject([
      { code: 'missing-key' },
      { code: 'unknown-key', file: 'a.yaml', line: 1 },
      { code: 'no-agent' },
    ]);
  });

  test('larger than 4 MB is refused before all of it is read', async () => {
    await write('a.yaml', 'x'.repeat(4 * 1_048_576 + 1));
    expect((await failure('a.yaml')).facts.problems).toMatchObject([{ code: 'plan-too-large', file: 'a.yaml' }]);
  });
});

describe('a folder', () => {
  const TASK = '---\ndependencies: []\n---\nDo it.\n';

  test('is read as a whole, sorted; links and hidden folders are left alone', async () => {
    await write('tasks/02-planning/01-b.md', TASK);
    await write('tasks/01-analysis/01-a.md', TASK);
    await write('tasks/.git/01-analysis/x.md', TASK);
    await write('outside/01-c.md', TASK);
    await symlink(path.join(cwd, 'outside'), path.join(cwd, 'tasks/03-linked'));
    await symlink(path.join(cwd, 'outside/01-c.md'), path.join(cwd, 'tasks/01-analysis/02-linked.md'));
    const { plan } = await load('tasks/');
    expect(plan.tasks.map(({ id }) => id)).toEqual(['01-analysis/01-a', '02-planning/01-b']);
    expect(plan.tasks[0]!.run).toEqual(['agent', 'run', 'tasks/01-analysis/01-a.md']);
  });

  test('of a project is read through its tasks folder', async () => {
    await write('tasks/01-analysis/01-a.md', TASK);
    await write('README.md', '# Project');
    expect((await load('.')).plan.tasks[0]!.run).toEqual(['agent', 'run', 'tasks/01-analysis/01-a.md']);
  });

  test('without task files is refused', async () => {
    await write('empty/README.md', '# Nothing');
    expect((await failure('empty')).facts.problems).toMatchObject([{ code: 'no-tasks', file: 'empty' }]);
  });
});

const UPSTREAM = process.env.PLANQ_FIXTURES;
const REAL = UPSTREAM === undefined ? undefined : path.join(UPSTREAM, 'ecma-rs/tasks');

if (REAL !== undefined && existsSync(REAL))
  describe('25 real task files', () => {
    const real = (options: Partial<LoadOptions> = {}) => load(REAL!, options);

    test('are 25 tasks with 49 needs on 11 levels', async () => {
      const { plan, graph } = await real();
      expect(plan.tasks).toHaveLength(25);
      expect(plan.tasks.reduce((sum, { needs }) => sum + needs.length, 0)).toBe(49);
      expect(graph.stages).toHaveLength(11);
      const countOf = (phase: string) => plan.tasks.filter((task) => task.phase === phase).length;
      expect(graph.phases.map((phase) => `${countOf(phase)} ${phase}`)).toEqual([
        '6 analysis',
        '4 planning',
        '10 implementation',
        '3 validation',
        '2 optimization',
      ]);
    });

    test('take 40 to 62 hours, 45 to 70 with gates between the phases', async () => {
      const free = await real();
      const path11 = criticalPath(free.plan, free.graph);
      expect([path11.minMinutes / 60, path11.maxMinutes / 60, path11.tasks.length]).toEqual([40, 62, 11]);
      const gated = await real({ barrier: 'phase' });
      const withGates = criticalPath(gated.plan, gated.graph);
      expect([withGates.minMinutes / 60, withGates.maxMinutes / 60]).toEqual([45, 70]);
    });

    test('have ten files with ignored text and four inputs that nobody makes', async () => {
      const { problems } = await real();
      expect(new Set(problems.filter(({ code }) => code === 'ignored-text').map(({ file }) => file)).size).toBe(10);
      const dangling = problems.filter(({ code }) => code === 'undeclared-input');
      expect(dangling.map(({ message }) => /input ".*\/([^/]+)"/.exec(message)![1])).toEqual([
        'usage-frequency.json',
        'baseline-results.json',
        'performance-baseline.json',
        'benchmark-results.json',
      ]);
    });

    test('lose 17 tasks when 02-planning/02 fails, 12 of them directly', async () => {
      const { plan, graph } = await real();
      const failing = plan.tasks.findIndex(({ id }) => id.startsWith('02-planning/02'));
      const states = finalStates(graph, (index) => (index === failing ? 'failed' : 'completed'));
      expect(states.filter(({ state }) => state === 'blocked')).toHaveLength(17);
      expect(graph.nodes[failing]!.dependents).toHaveLength(12);
    });

    test('start in eleven waves with gates and phase limits', async () => {
      const { plan, graph } = await real({ barrier: 'phase' });
      const phases = { analysis: 6, planning: 3, implementation: 10, validation: 2, optimization: 5 };
      const starts = simulate(plan, graph, { agents: 10, phases, masters: {}, resources: {} });
      expect(new Set(starts.map(({ startMinute }) => startMinute)).size).toBe(11);
      expect(starts).toHaveLength(25);
    });
  });
