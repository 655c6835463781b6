/**
 * Steering runs from the command line: real processes, a real Redis, commands as tasks.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { RunExport } from '../../src/control/export-run.ts';
import type { InboxItem } from '../../src/control/inbox.ts';
import type { LimitView } from '../../src/control/list-limits.ts';
import type { Report } from '../../src/flows/report.ts';
import type { RunSummary, RunView } from '../../src/flows/run-view.ts';
import type { TaskWhy } from '../../src/flows/why.ts';
import { createProject, type TestProject } from '../support/cli.ts';
import { waitUntil } from '../support/processes.ts';

/** Many processes one after the other, each of which compiles the sources; on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 120_000 });

const ASKS = `name: Asks
approve-before: [2]
tasks:
  build: { run: "echo build" }
  deploy: { run: "echo deployed >> deploys", needs: build, approval: true }
`;

/** Ends when the file \`open\` is there. */
const WAITS = `name: Waits
barrier: none
limits: { gpu: 1 }
tasks:
  first: { run: "while ! test -e open; do sleep 0.05; done", takes: [gpu] }
  second: { run: "true", needs: first, takes: [gpu] }
  rival: { run: "true", takes: [gpu], priority: low }
`;

const newest = async (project: TestProject): Promise<string> => (await project.json<RunView>('status')).run.id;

async function stateOf(project: TestProject, run: string, task: string): Promise<string | undefined> {
  return (await project.json<RunView>('status', run)).tasks.find(({ id }) => id === task)?.state;
}

describe('approvals', () => {
  it('end a followed run with exit code 9 and the command, until all are given', async () => {
    const project = createProject();
    const first = await project.planq('run', project.write('plan.yaml', ASKS));
    expect(first.code).toBe(9);
    const run = await newest(project);
    expect(first.stdout).toContain(`Waiting for approval: gate:1 → planq approve ${run} gate:1`);
    expect(first.stdout).toContain(`It waits for approval:\n  planq approve ${run} gate:1`);
    expect(await project.json<{ items: InboxItem[] }>('inbox')).toMatchObject({
      items: [{ kind: 'approval', run, subject: 'gate:1', unblocks: 1 }],
    });
    const approved = await project.planq('approve', run, 'gate:1', '--by', 'ann', '--comment', 'fine');
    expect([approved.code, approved.stdout]).toEqual([0, `Approved gate:1 of run ${run}, by ann\n`]);
    const second = await project.planq('watch', run, '--work', '--json');
    expect(second.code).toBe(9);
    expect(JSON.parse(second.stdout.trim().split('\n').at(-1)!)).toMatchObject({
      type: 'report',
      waitingFor: ['deploy'],
    });
    expect((await project.planq('approve', run, 'deploy')).stderr).toContain('no worker serves the master development');
    expect((await project.planq('watch', run, '--work')).code).toBe(0);
    expect(project.read('deploys')).toBe('deployed\n');
    expect((await project.planq('inbox')).stderr).toContain('nothing waits for a person');
    const late = await project.planq('approve', run, 'gate:1');
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('it does not wait for approval')]);
  });

  it('that are refused fail the run, with who and why', async () => {
    const project = createProject();
    await project.planq('run', project.write('plan.yaml', ASKS));
    const run = await newest(project);
    expect((await project.planq('reject', run, 'gate:1', '--by', 'ann', '--comment', 'not today')).code).toBe(0);
    const watched = await project.planq('watch', run);
    expect(watched.code).toBe(1);
    expect((await project.planq('why', run, 'deploy')).stdout).toContain(
      'gate:1 is closed: rejected by ann: not today',
    );
    expect((await project.json<RunView>('status', run)).tasks[1]).toMatchObject({ blockedBy: ['gate:1'] });
    expect((await project.planq('approve', run, 'gate:2')).code).toBe(5);
  });

  it('are told by the worker that works for the run', async () => {
    const project = createProject();
    const worker = project.start('worker');
    await worker.says('worker-started');
    const run = (await project.planq('submit', project.write('plan.yaml', ASKS))).stdout.trim();
    await worker.says('approval-wanted');
    await project.planq('approve', run, 'gate:1');
    await worker.says('"approved"');
    const lines = worker
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ msg }) => msg === 'approval-wanted')).toMatchObject({ level: 'warn', run, tasks: ['gate:1'] });
  });
});

describe('pause, limits and why', () => {
  it('hold what is new, tell what holds it, and let it go', async () => {
    const project = createProject();
    const running = project.start('run', project.write('plan.yaml', WAITS));
    await running.says('Waiting task: rival');
    const run = await newest(project);
    const { limits } = await project.json<{ limits: LimitView[] }>('limits');
    expect(limits.find(({ name }) => name === 'gpu')).toMatchObject({
      capacity: 1,
      used: 1,
      holders: [{ run, task: 'first', amount: 1 }],
      next: [{ run, task: 'rival' }],
    });
    expect((await project.planq('limits')).stdout).toMatch(new RegExp(`gpu +1 +1 +1 +${run} first +${run} rival`));
    expect(await project.json<TaskWhy>('why', run, 'rival')).toMatchObject({
      state: 'parked',
      reasons: [{ code: 'limit' }],
    });
    expect(await project.json<TaskWhy>('why', run, 'second')).toMatchObject({ reasons: [{ code: 'need' }] });
    expect((await project.planq('why', run, 'first')).stdout).toContain('it runs on worker');

    expect((await project.planq('pause', run, '--by', 'ann', '--comment', 'lunch')).stdout).toContain(
      `Paused: run ${run}`,
    );
    await running.says(`The run is paused. → planq resume ${run}`);
    project.write('open', '');
    await waitUntil('the first has ended', async () => (await stateOf(project, run, 'first')) === 'completed', 20_000);
    await waitUntil('the others are held', async () => (await stateOf(project, run, 'second')) === 'parked', 20_000);
    expect((await project.planq('why', run)).stdout).toMatch(
      /run \w+ is paused by ann since .*: lunch\n.*planq resume/,
    );
    expect((await project.planq('resume', run)).stdout).toBe(`Goes on: run ${run}\n`);
    const { code, stdout } = await running.ended;
    expect(stdout).toContain('The run is not paused any more.');
    expect(code).toBe(0);
  });

  it('know everything and a master besides runs, one at a time', async () => {
    const project = createProject();
    await project.planq('submit', project.write('plan.yaml', WAITS));
    expect(await project.json('pause', '--all')).toEqual({ target: 'all', before: false });
    expect(await project.json('pause', '--master', 'development')).toEqual({
      target: 'master:development',
      before: false,
    });
    expect((await project.json<{ items: InboxItem[] }>('inbox')).items.map(({ command }) => command)).toEqual([
      'planq resume --all',
      'planq resume --master development',
    ]);
    expect((await project.planq('pause', '--all', '--master', 'development')).code).toBe(2);
    expect(await project.json('resume', '--all')).toEqual({ target: 'all', before: true });
    expect((await project.planq('resume', '--all')).stdout).toBe('Was not paused: everything\n');
  });
});

describe('going on with what failed', () => {
  const BROKEN = `name: Broken
tasks:
  make: { run: "echo made >> makes" }
  test: { run: "test -e mended", needs: make, retries: 0 }
  ship: { run: "echo shipped >> ships", needs: test }
`;

  it('skip leaves a task out', async () => {
    const project = createProject();
    expect((await project.planq('run', project.write('plan.yaml', BROKEN))).code).toBe(1);
    const run = await newest(project);
    const skipped = await project.planq('skip', run, 'test', '--by', 'ann');
    expect(skipped.stdout).toBe(`Skipped test of run ${run}; it was failed\n`);
    expect((await project.planq('watch', run, '--work')).code).toBe(0);
    expect((await project.planq('skip', run, 'ship')).code).toBe(1);
  });

  it('retry --from runs a completed task again, and all that needs it', async () => {
    const project = createProject();
    project.write('mended', '');
    expect((await project.planq('run', project.write('plan.yaml', BROKEN))).code).toBe(0);
    const run = await newest(project);
    const again = await project.planq('retry', run, '--from', 'test');
    expect(again.stderr).toContain('running again: test, ship');
    expect(again.code).toBe(0);
    expect([project.read('makes'), project.read('ships')]).toEqual(['made\n', 'shipped\nshipped\n']);
    expect(JSON.parse(project.read('workspace/report.json')) as Report).toMatchObject({
      retried: [{ id: 'test' }, { id: 'ship' }],
    });
    expect((await project.planq('retry', run, 'test', '--from', 'test')).code).toBe(2);
  });
});

describe('what has ended', () => {
  it('is exported to stdout or a folder, and pruned', async () => {
    const project = createProject();
    const plan = `name: Old\ntasks:\n  a: { run: "echo out; echo x > $PLANQ_OUTPUT_DIR/x.txt" }\n`;
    await project.planq('run', project.write('plan.yaml', plan));
    const run = await newest(project);
    const exported = JSON.parse((await project.planq('export', run)).stdout) as RunExport;
    expect(exported).toMatchObject({ version: 1, run: { id: run }, outputs: [{ task: 'a', bytes: 2 }] });
    const written = await project.planq('export', run, '--out', 'kept');
    expect(written.stdout.trim()).toBe(path.join(project.dir, 'kept', 'run.json'));
    expect(project.read('kept/logs/a.log')).toBe('out\n');

    expect((await project.planq('prune')).code).toBe(2);
    expect((await project.planq('prune', '--older-than', '1 week')).code).toBe(2);
    expect(await project.json('prune', '--older-than', '1h')).toMatchObject({ pruned: [] });
    expect(await project.json('prune', '--older-than', '1ms', '--dry-run')).toMatchObject({
      dryRun: true,
      pruned: [run],
    });
    expect((await project.planq('prune', '--older-than', '1ms')).stdout).toBe('1 run removed from Redis\n');
    expect(await project.json<{ runs: RunSummary[] }>('list')).toEqual({ runs: [] });
    expect(existsSync(path.join(project.dir, 'workspace', 'report.md'))).toBe(true);
  });
});

describe('mistakes', () => {
  it('of a plan and of the configuration are told once', async () => {
    const project = createProject();
    const plan = await project.planq('run', project.write('bad.yaml', 'name: x\ntasks:\n  a: { agnet: fake }\n'));
    expect(plan.stderr.match(/agnet/g)).toHaveLength(1);
    expect(plan.stderr).toContain('it has 1 mistake');
    project.write('planq.config.json', '{"limits": {"agents": 0}, "agnet": "fake"}');
    const config = await project.planq('list');
    expect(config.code).toBe(2);
    expect(config.stderr.match(/agnet/g)).toHaveLength(1);
    expect(config.stderr.match(/limits\.agents/g)).toHaveLength(1);
  });
});
