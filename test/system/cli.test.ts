/**
 * The command line as people and scripts use it: real processes, a real Redis, the fake agent.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Report } from '../../src/flows/report.ts';
import type { RunSummary, RunView } from '../../src/flows/run-view.ts';
import { createProject, type Running, type TestProject } from '../support/cli.ts';
import { isAlive, waitUntil, waitUntilGone } from '../support/processes.ts';

// Nearly every test starts four to eight processes, each of which loads TypeScript: a second each on an idle machine, five and
// more on a loaded one. So the limit is for what hangs; what is waited for has its own, shorter one.
vi.setConfig({ testTimeout: 120_000 });

const PLAN = `name: Two steps
defaults: { agent: fake, with: { work: 20ms } }
tasks:
  first: { title: First, outputs: [first.md] }
  second: { title: Second, needs: first, phase: validation }
`;

/** \`second\` fails until the file \`mended\` is there. */
const BLOCKING = `name: Breaks
tasks:
  first: { run: "echo worked >> first-runs" }
  second: { run: "test -e mended", needs: first, retries: 0 }
  third: { run: "true", needs: second }
`;

const SLOW = `name: Slow
tasks:
  long: { run: "sleep 600" }
`;

const ANSI = '\u001b[';

async function newestRun(project: TestProject): Promise<string> {
  return (await project.json<RunView>('status')).run.id;
}

/** Of a run that is followed as lines: its id stands in the first, so no further process has to be asked. */
function idOf(running: Running): string {
  return /^Run (\w+) /m.exec(running.stdout())?.[1] ?? '';
}

/** Number of the agent's process, once it runs. */
function agentPid(project: TestProject, task: string): Promise<number> {
  const file = path.join(project.dir, 'workspace', 'pids', `${task}.pid`);
  return waitUntil(
    'the agent runs',
    () => {
      const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      return pid > 0 && isAlive(pid) ? pid : undefined;
    },
    60_000,
  );
}

describe('planq run', () => {
  it('works a plan to its end, tells of each task and prints the report', async () => {
    const project = createProject();
    const { code, stdout } = await project.planq('run', project.write('plan.yaml', PLAN));
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'Launching task: first',
        'Launching task: second',
        'All tasks complete!',
        expect.stringMatching(/^completed: 2 of 2 tasks completed in /),
      ]),
    );
    expect(stdout.indexOf('Launching task: second')).toBeGreaterThan(stdout.indexOf('Completed task: first'));
    expect(stdout).not.toContain(ANSI);
    expect(code).toBe(0);
    expect(project.read('workspace/report.md')).toContain('2 of 2 tasks completed');
  });

  it('needs no Redis but its own, and leaves none behind', async () => {
    const project = createProject('private');
    const { code, stdout } = await project.planq('run', project.write('plan.yaml', PLAN), '--json');
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; task?: string });
    expect(lines.filter(({ type }) => type === 'task-started').map(({ task }) => task)).toEqual(['first', 'second']);
    expect(lines.at(-1)).toMatchObject({ type: 'report', run: { state: 'completed' } });
    expect(existsSync(path.join(project.dir, '.planq', 'redis', 'redis.sock'))).toBe(false);
    expect(await project.json<{ runs: RunSummary[] }>('list')).toMatchObject({ runs: [{ name: 'Two steps' }] });
  });

  it('says what a blocked run lacks, and retry goes on where it stopped', async () => {
    const project = createProject();
    const blocked = await project.planq('run', project.write('plan.yaml', BLOCKING));
    expect(blocked.code).toBe(1);
    const run = await newestRun(project);
    expect(blocked.stdout).toContain('failed second: Exit code 1');
    expect(blocked.stdout).toContain('blocks 1 task: third');
    expect(blocked.stdout).toContain(`planq logs ${run} second`);
    expect(blocked.stdout).toContain(`planq retry ${run}`);
    project.write('mended', '');
    const retried = await project.planq('retry', run.slice(0, 6));
    expect(retried.stdout).toContain('All tasks complete!');
    expect(retried.code).toBe(0);
    expect(project.read('first-runs')).toBe('worked\n');
  });

  it('prints the order of a dry run and starts nothing, without any Redis', async () => {
    const project = createProject();
    project.env.REDIS_URL = '/nowhere/redis.sock';
    const { code, stdout } = await project.planq('run', project.write('plan.yaml', PLAN), '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Would launch: first[\s\S]*Would launch: second/);
    expect(existsSync(path.join(project.dir, 'workspace'))).toBe(false);
  });

  it('runs one phase alone and says which needs it dropped', async () => {
    const project = createProject();
    const { code, stdout, stderr } = await project.planq(
      'run',
      project.write('plan.yaml', PLAN),
      '--phase',
      '04-validation',
    );
    expect(stderr).toContain('task "second" does not wait for "first"');
    expect(stdout).toContain('1 of 1 tasks completed');
    expect(code).toBe(0);
  });

  it('hands its tasks back on Ctrl-C, leaves no agent, and can be gone on with', async () => {
    const project = createProject();
    const running = project.start('run', project.write('plan.yaml', SLOW));
    await running.says('Launching task: long');
    const pid = await agentPid(project, 'long');
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    await waitUntilGone([pid]);
    const run = idOf(running);
    expect(await project.json('status')).toMatchObject({
      run: { id: run, state: 'running' },
      tasks: [{ state: 'ready' }],
    });
    expect(stderr).toContain(`planq watch ${run} --work`);
    const again = project.start('watch', run, '--work');
    const next = await agentPid(project, 'long');
    expect((await project.planq('cancel', run)).code).toBe(0);
    await waitUntilGone([next]);
    const ended = await again.ended;
    expect(ended.stdout).toContain('cancelled: 0 of 1 tasks completed, 1 cancelled');
    expect(ended.code).toBe(1);
  });

  it('takes the work over when the process that did it is killed', async () => {
    const project = createProject();
    const killed = project.start('run', project.write('plan.yaml', SLOW));
    const pid = await agentPid(project, 'long');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await waitUntilGone([pid]);
    const heir = project.start('watch', '--work');
    const next = await agentPid(project, 'long');
    heir.child.kill('SIGTERM');
    expect((await heir.ended).code).toBe(130);
    await waitUntilGone([next]);
  });
});

describe('two runs at once', () => {
  it('share what workers there are, and the second goes on when the first has ended', async () => {
    const project = createProject();
    const waits = (name: string): string =>
      project.write(
        `${name}.yaml`,
        `name: ${name}\ntasks:\n  gate: { run: "while ! test -e ${name}; do sleep 0.05; done" }\n`,
      );
    const first = project.start('run', waits('first'));
    await first.says('Launching task: gate');
    const second = project.start('run', waits('second'));
    await second.says('Launching task: gate');
    project.write('first', '');
    expect((await first.ended).code).toBe(0);
    project.write('second', '');
    const { code, stdout } = await second.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('Handed back task: gate');
    expect(stdout).toContain('completed: 1 of 1 tasks');
  });
});

describe('followers', () => {
  it('see the same run at once, and leave without disturbing it', async () => {
    const project = createProject();
    const plan = project.write(
      'plan.yaml',
      `name: Waits\ntasks:\n  gate: { run: "while ! test -e open; do sleep 0.05; done" }\n`,
    );
    const worker = project.start('worker');
    await worker.says('worker-started');
    const running = project.start('run', plan);
    await running.says('Launching task: gate');
    const run = idOf(running);
    const others = [project.start('watch', run), project.start('watch', run, '--json'), project.start('watch', run)];
    await others[0]!.says('0 of 1 tasks completed');
    await others[2]!.says('0 of 1 tasks completed');
    running.child.kill('SIGINT');
    const left = await running.ended;
    expect(left.code).toBe(130);
    expect(left.stderr).toContain('goes on without this terminal');
    project.write('open', '');
    for (const { code, stdout } of await Promise.all(others.map(({ ended }) => ended))) {
      expect(stdout).toContain('completed');
      expect(code).toBe(0);
    }
    worker.child.kill('SIGTERM');
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['worker-started', 'task-started', 'task-completed', 'worker-stopping', 'worker-stopped']),
    );
    expect(lines.find(({ msg }) => msg === 'task-started')).toMatchObject({
      level: 'info',
      run,
      task: 'gate',
      attempt: 1,
    });
  });

  it('print the report of a run that has ended at once', async () => {
    const project = createProject();
    await project.planq('run', project.write('plan.yaml', PLAN));
    const { code, stdout } = await project.planq('watch');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Two steps {2}run \w+\ncompleted: 2 of 2/);
    expect(await project.json<Report & { type: string }>('watch')).toMatchObject({ type: 'report' });
  });
});

describe('planq submit', () => {
  it('prints the run id alone, and gives the same run for the same key', async () => {
    const project = createProject();
    const plan = project.write('plan.yaml', PLAN);
    const first = await project.planq('submit', plan, '--key', 'k');
    expect(first.stdout).toMatch(/^[a-z0-9]{10}\n$/);
    expect(first.stderr).toContain('no worker serves the master development');
    const id = first.stdout.trim();
    expect(await project.json('submit', plan, '--key', 'k')).toEqual({ runId: id });
    const { runs } = await project.json<{ runs: RunSummary[] }>('list');
    expect(runs.map((run) => run.id)).toEqual([id]);
    const { code, stdout } = await project.planq('run', plan, '--key', 'k');
    expect(code).toBe(0);
    expect(stdout).toContain(id);
    const again = await project.planq('submit', plan, '--key', 'k');
    expect([again.stdout, again.stderr]).toEqual([
      `${id}\n`,
      `run ${id} was submitted under this key before and has completed\n`,
    ]);
  });

  it('says where the files of a run are that another run keeps from the workspace', async () => {
    const project = createProject();
    const plan = project.write('plan.yaml', PLAN);
    const first = (await project.planq('submit', plan)).stdout.trim();
    const second = await project.planq('submit', plan);
    const id = second.stdout.trim();
    expect(second.stderr).toContain(
      `run ${id} has its files in workspace-${id}/, since run ${first} uses the workspace`,
    );
    const run = await project.planq('watch', id, '--work');
    expect(run.stdout).toContain(`files  workspace-${id}/`);
    expect(project.read(`workspace-${id}/report.md`)).toContain(`- Files: workspace-${id}/`);
  });
});

describe('what a program reads', () => {
  it('of a run has exactly these fields', async () => {
    const project = createProject();
    await project.planq('run', project.write('plan.yaml', PLAN));
    const view = await project.json<RunView>('status');
    const runKeys = ['id', 'name', 'state', 'createdAt', 'startedAt', 'finishedAt', 'counts'];
    expect(Object.keys(view)).toEqual(['run', 'tasks']);
    expect(Object.keys(view.run)).toEqual(runKeys);
    expect(Object.keys(view.tasks[0]!).sort()).toEqual(
      ['id', 'title', 'state', 'stage', 'phase', 'master', 'attempt', 'startedAt', 'finishedAt', 'durationMs', 'agent']
        .concat(['exitCode', 'reason', 'blockedBy', 'needs'])
        .sort(),
    );
    expect(view.run.startedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const list = await project.json<{ runs: RunSummary[] }>('list');
    expect(Object.keys(list.runs[0]!)).toEqual(runKeys);
    expect(await project.json('report')).toMatchObject({ failed: [], retried: [] });
    expect(await project.json('show', view.run.id, 'first')).toMatchObject({
      task: { id: 'first', state: 'completed' },
    });
    expect(await project.json('show', view.run.id)).toMatchObject({ barrier: 'stage', source: 'plan.yaml' });
  });

  it('of a plan and a machine has these', async () => {
    const project = createProject();
    project.write('plan.yaml', PLAN);
    expect(await project.json('validate', 'plan.yaml')).toEqual({ valid: true, problems: [] });
    expect(await project.json('graph', 'plan.yaml')).toMatchObject({ stages: [['first'], ['second']] });
    expect(await project.json('doctor')).toMatchObject({ ok: true });
  });
});

describe('errors', () => {
  it('have exit codes, places, hints and a JSON form', async () => {
    const project = createProject();
    const bad = project.write('bad.yaml', 'name: Bad\ntasks:\n  a: { agent: fake, needs: b }\n  c: { agnet: fake }\n');
    const invalid = await project.planq('run', bad);
    expect(invalid.code).toBe(3);
    expect(invalid.stderr).toMatch(/^bad\.yaml:3:\d+: error [\w-]+: /m);
    expect(invalid.stderr).toContain('error plan_invalid: ');
    const checked = await project.planq('validate', bad);
    expect(checked.code).toBe(3);
    expect(checked.stdout).toMatch(/bad\.yaml: invalid, \d errors/);

    const unknown = await project.planq('status', 'nothing', '--json');
    expect(unknown.code).toBe(5);
    expect(JSON.parse(unknown.stdout)).toEqual({
      code: 'run_not_found',
      message: 'cannot find run "nothing": there is no such run',
      hint: 'see "planq list"',
      retryable: false,
    });
    const missing = await project.planq('run', 'none.yaml');
    expect([missing.code, missing.stdout]).toEqual([5, '']);
  });

  it('of usage suggest the nearest word', async () => {
    const project = createProject();
    const option = await project.planq('run', 'x', '--dryrun');
    expect([option.code, option.stderr]).toEqual([
      2,
      "error usage: unknown option '--dryrun'\n  → did you mean --dry-run?\n",
    ]);
    const command = await project.planq('stauts');
    expect([command.code, command.stderr]).toEqual([
      2,
      "error usage: unknown command 'stauts'\n  → did you mean status?\n",
    ]);
    expect((await project.planq()).code).toBe(2);
    expect((await project.planq('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await project.planq('run', '--help')).code).toBe(0);
  });

  it('of Redis name the address, without its password', async () => {
    const project = createProject();
    project.env.REDIS_URL = 'redis://someone:secret@127.0.0.1:1/0';
    const { code, stderr } = await project.planq('list');
    expect(code).toBe(6);
    expect(stderr).toContain('error redis_unreachable: cannot reach Redis at redis://127.0.0.1:1/0');
    expect(stderr).not.toContain('secret');
  });
});

describe('planq logs', () => {
  it('prints the output, its end, or goes on until the task has ended', async () => {
    const project = createProject();
    const plan = `name: Talks\ntasks:\n  talk: { run: "echo one; while ! test -e open; do sleep 0.05; done; echo two; echo three" }\n`;
    const running = project.start('run', project.write('plan.yaml', plan));
    await running.says('Launching task: talk');
    const run = idOf(running);
    const following = project.start('logs', run, 'talk', '-f');
    await following.says('one');
    project.write('open', '');
    expect(await following.ended).toMatchObject({ code: 0, stdout: 'one\ntwo\nthree\n' });
    await running.ended;
    expect((await project.planq('logs', run, 'talk', '--lines', '2')).stdout).toBe('two\nthree\n');
    expect(await project.planq('logs', run)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('name a task\n  → tasks with output: talk'),
    });
  });

  it('says when there is nothing yet', async () => {
    const project = createProject();
    const { runId } = await project.json<{ runId: string }>('submit', project.write('plan.yaml', PLAN));
    const { code, stderr } = await project.planq('logs', runId, 'first');
    expect(code).toBe(5);
    expect(stderr).toContain('log_not_found');
  });
});

describe('a reader that goes away', () => {
  it('ends the command quietly', async () => {
    const project = createProject();
    const running = project.start('run', project.write('plan.yaml', SLOW));
    await running.says('Launching task: long');
    const pid = await agentPid(project, 'long');
    running.child.stdout?.destroy();
    await project.planq('cancel', idOf(running));
    const { stderr } = await running.ended;
    expect(stderr).not.toContain('EPIPE');
    await waitUntilGone([pid]);
  });
});
