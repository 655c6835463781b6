/**
 * Undo with real processes: the command line, workers that die at the worst moments.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Cancelled } from '../../src/control/cancel-run.ts';
import type { RunExport } from '../../src/control/export-run.ts';
import type { Event } from '../../src/events/event.ts';
import type { Report } from '../../src/flows/report.ts';
import type { RunSummary, RunView } from '../../src/flows/run-view.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { createProject, type TestProject } from '../support/cli.ts';
import { waitUntil } from '../support/processes.ts';
import { ROOT } from '../support/repository.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

/** Many processes one after the other, each of which compiles the sources; on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 120_000 });

const CHAIN = (undoB: string): string => `name: Chain
tasks:
  a: { run: "echo a >> done", undo: "echo a >> undone" }
  b: { run: "echo b >> done", undo: "${undoB}", needs: a, retries: 0 }
  c: { run: "touch running; sleep 600", undo: "echo c >> undone", needs: b }
`;

const stateOf = async (project: TestProject, run: string): Promise<string> =>
  (await project.json<RunView>('status', run)).run.state;

async function startChain(project: TestProject, undoB = 'echo b >> undone'): Promise<string> {
  const { stdout } = await project.planq('submit', project.write('plan.yaml', CHAIN(undoB)));
  await waitUntil('c runs', () => existsSync(path.join(project.dir, 'running')), 20_000);
  return stdout.trim();
}

describe('planq cancel --undo', () => {
  it('stops what runs, undoes what has completed in reverse, and tells where', async () => {
    const project = createProject();
    project.start('worker');
    const run = await startChain(project);
    const cancelled = await project.planq('cancel', run, '--undo');
    expect(cancelled.code).toBe(0);
    const id = /Run (\w+) undoes it, in this order:\n {2}1. b\n {2}2. a\n/.exec(cancelled.stdout)![1]!;
    expect(cancelled.stdout).toContain(`planq watch ${id}`);
    expect((await project.planq('watch', id)).code).toBe(0);
    expect(project.read('undone')).toBe('b\na\n');
    const again = await project.json<Cancelled>('cancel', run, '--undo');
    expect(again.undo).toEqual({ state: 'submitted', run: id, isNew: false, stages: [['b'], ['a']] });
    expect(project.read('undone')).toBe('b\na\n');

    expect((await project.planq('status', run)).stdout).toContain(`undone by run ${id}`);
    expect((await project.planq('show', id)).stdout).toContain(`undoes run ${run}`);
    expect((await project.planq('report', run)).stdout).toContain(`undone by run ${id}`);
    const { runs } = await project.json<{ runs: RunSummary[] }>('list');
    expect(runs).toMatchObject([{ undoOf: run }, { undo: { state: 'submitted', run: id } }]);
    const exported = await project.json<RunExport>('export', run);
    expect(exported.run.undo).toEqual({ state: 'submitted', run: id });
    expect(exported.events.filter(({ type }: Event) => type.startsWith('undo-'))).toMatchObject([
      { type: 'undo-wanted' },
      { type: 'undo-submitted', undoRun: id },
    ]);
    const retried = await project.planq('retry', run);
    expect([retried.code, retried.stderr]).toEqual([1, expect.stringContaining('its undo was asked for')]);
  });

  it('goes on when an undo fails, ends as failed and names what was not undone, which a retry mends', async () => {
    const project = createProject();
    project.start('worker');
    const run = await startChain(project, 'test -e mended && echo b >> undone');
    const { undo } = await project.json<Cancelled>('cancel', run, '--undo');
    const watched = await project.planq('watch', undo!.run!);
    expect(watched.code).toBe(1);
    expect(watched.stdout).toContain('not undone  b');
    expect(project.read('undone')).toBe('a\n');
    expect(await project.json<Report>('report', undo!.run!)).toMatchObject({
      run: { state: 'failed' },
      notUndone: ['b'],
    });
    project.write('mended', '');
    expect((await project.planq('retry', undo!.run!)).code).toBe(0);
    expect(project.read('undone')).toBe('a\nb\n');
  });

  it('waits for a worker where none lives, and says so', async () => {
    const project = createProject();
    expect(
      (
        await project.planq(
          'run',
          project.write('plan.yaml', 'name: p\ntasks: { a: { run: "true", undo: "touch undone" } }'),
        )
      ).code,
    ).toBe(0);
    const undone = await project.planq('cancel', (await project.json<RunView>('status')).run.id, '--undo');
    expect(undone.code).toBe(0);
    const id = /Run (\w+) undoes it/.exec(undone.stdout)![1]!;
    expect(undone.stderr).toContain(`or "planq watch ${id} --work"`);
    expect(existsSync(path.join(project.dir, 'undone'))).toBe(false);
    expect((await project.planq('watch', id, '--work')).code).toBe(0);
    expect(existsSync(path.join(project.dir, 'undone'))).toBe(true);
  });

  it('undoes the example, and says where there is nothing to undo', async () => {
    const project = createProject();
    project.start('worker');
    const example = path.join(ROOT, 'examples', 'undo.yaml');
    const run = (await project.planq('submit', example)).stdout.trim();
    await waitUntil(
      'the last task runs',
      async () => (await project.json<RunView>('status', run)).run.counts.completed === 3,
      20_000,
    );
    const { undo } = await project.json<Cancelled>('cancel', run, '--undo');
    expect(undo?.stages).toEqual([['furnish'], ['rent']]);
    expect((await project.planq('watch', undo!.run!)).code).toBe(0);
    expect(project.read('shop.txt')).toBe('rented\nshelves sold\nrent of rent given back\n');
    const nothing = await project.planq('cancel', undo!.run!, '--undo');
    expect([nothing.code, nothing.stdout]).toEqual([
      0,
      expect.stringContaining('Nothing that has completed has an undo.'),
    ]);
    expect(await stateOf(project, undo!.run!)).toBe('completed');
    expect((await project.planq('graph', example)).stdout).toContain('Can be undone: rent, furnish, open');
    expect((await project.planq('doctor')).stdout).toContain('completed for 30 days');
    expect((await project.planq('prune', '--dry-run')).stdout).toContain('0 runs would be removed by workers');
  });
});

describe('a worker that dies', () => {
  const PLAN = testPlan({
    tasks: {
      a: { agent: 'noop', undo: 'echo a >> "$PLANQ_WORKSPACE/undone"' },
      b: { agent: 'fake', with: { hang: true }, needs: 'a' },
    },
  });

  const undoRunOf = async (app: TestApp, run: string): Promise<string | null> =>
    (await app.view(run)).run.undo?.run ?? null;

  /** Cancels in the record alone, so that only workers are there to submit the undo. */
  async function cancelUnder(app: TestApp, crashAt: 'ended' | 'undone'): Promise<string> {
    const { runId } = await app.submit(PLAN);
    const worker = await startWorkerProcess(app, { PLANQ_CRASH_AT: crashAt });
    await waitUntil('b runs', async () => (await app.view(runId)).tasks[1]?.state === 'running', 15_000);
    await app.store.record.cancel(runId, true);
    expect(await worker.exited).toBe('SIGKILL');
    return runId;
  }

  it.each(['ended', 'undone'] as const)('at "%s" neither loses the undo nor doubles it', async (crashAt) => {
    const app = await createTestApp({ lockMs: 1500 });
    const run = await cancelUnder(app, crashAt);
    expect((await undoRunOf(app, run)) !== null).toBe(crashAt === 'undone');
    const early = app.submit(PLAN, { workspace: 'workspace' });
    await expect(early).rejects.toMatchObject({ code: 'workspace_in_use' });
    await startWorkerProcess(app);
    const undoing = await waitUntil(
      'the undo is submitted',
      async () => (await undoRunOf(app, run)) ?? undefined,
      15_000,
    );
    expect((await app.atRest(undoing)).run.state).toBe('completed');
    expect(await app.file('workspace/undone')).toBe('a\n');
    expect(await app.store.record.listRuns(10)).toHaveLength(2);
    await waitUntil(
      'the report is written',
      async () => (await app.store.redis.zcard(app.store.keys.ended)) === 0,
      15_000,
    );
    expect(await app.file('workspace/report.md')).toContain('**cancelled**');
    expect(await app.file('workspace/undo-report.md')).toContain(`Undoes run: ${run}`);
  });
});
