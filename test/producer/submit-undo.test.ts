import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { undoRun } from '../../src/control/cancel-run.ts';
import { pruneRuns } from '../../src/control/prune-runs.ts';
import { readEvents } from '../../src/control/read-events.ts';
import { retryRun } from '../../src/control/retry-run.ts';
import { parseNode } from '../../src/flows/node.ts';
import { submitUndo } from '../../src/producer/submit-undo.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, statesOf, type TestApp, testPlan } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';

const undo = (line: string) => `echo ${line} >> "$PLANQ_WORKSPACE/undone"`;

/** a → b, which go through at once; c hangs. */
const PLAN = testPlan({
  tasks: {
    a: { agent: 'noop', undo: undo('a') },
    b: { agent: 'noop', needs: 'a', undo: undo('b') },
    c: { agent: 'fake', with: { hang: true }, needs: 'b', undo: undo('c') },
  },
});

const ALL_DONE = testPlan({ tasks: { a: { agent: 'noop', undo: undo('a') } } });

async function untilRunning(app: TestApp, run: string, task: string): Promise<void> {
  await waitUntil(`${task} runs`, async () => statesOf(await app.view(run))[task] === 'running');
}

const context = (app: TestApp) => ({ store: app.store, config: app.config, clock: systemClock });

const undoOnce = (app: TestApp, run: string) => submitUndo(app.store, app.config, systemClock, run);

/** Makes a run rest in the record without a worker that could submit its undo. */
async function endByHand(app: TestApp, key: string): Promise<string> {
  const { runId } = await app.submit(PLAN, { key });
  for (const index of [0, 1]) {
    const token = `${key}-${index}`;
    await app.store.record.claim({ run: runId, index, token }, 'w', 60_000);
    await app.store.record.settle({ run: runId, index, token, kind: 'completed', values: '{"place":"here"}' });
  }
  await app.store.record.cancel(runId, true);
  return runId;
}

test('what completed is undone in reverse order, what was running is not, and each run names the other', async () => {
  const app = await createTestApp();
  await app.startPool();
  const { runId } = await app.submit(PLAN);
  await untilRunning(app, runId, 'c');
  const asked = await undoRun(context(app), runId, 5000);
  expect(asked).toMatchObject({ before: 'running', stillRunning: 0 });
  expect(asked.undo).toMatchObject({ state: 'submitted', isNew: true, stages: [['b'], ['a']] });
  const undoing = await app.atRest(asked.undo!.run!);
  expect(undoing.run).toMatchObject({ state: 'completed', undoOf: runId, name: 'Undo test' });
  expect(await app.file('workspace/undone')).toBe('b\na\n');
  expect((await app.view(runId)).run).toMatchObject({
    state: 'cancelled',
    undo: { state: 'submitted', run: asked.undo!.run },
  });
  expect(statesOf(await app.view(runId))).toEqual({ a: 'completed', b: 'completed', c: 'cancelled' });
  const events = (await readEvents(app.store, runId, 0)).map(({ type }) => type);
  expect(events.filter((type) => type.startsWith('undo-'))).toEqual(['undo-wanted', 'undo-submitted']);
  const again = await undoRun(context(app), runId, 0);
  expect(again.undo).toMatchObject({ state: 'submitted', isNew: false, run: asked.undo!.run });
  await expect(retryRun(app.store, systemClock, runId, { from: 'a' })).rejects.toMatchObject({
    code: 'wrong_state',
    message: expect.stringContaining('its undo was asked for'),
  });
  expect(await app.file('workspace/undone')).toBe('b\na\n');
});

test('whoever submits it, and however many at once, there is one undo', async () => {
  const app = await createTestApp();
  const run = await endByHand(app, 'k');
  const replies = await Promise.all(Array.from({ length: 8 }, () => undoOnce(app, run)));
  const runs = new Set(replies.map((reply) => ('run' in reply ? reply.run : reply.kind)));
  expect(runs.size).toBe(1);
  expect(replies.filter(({ kind }) => kind === 'submitted')).toHaveLength(1);
  expect(await app.store.record.listRuns(10)).toHaveLength(2);
  // What the seven had staged is gone, but for what expires.
  const left = await app.store.redis.keys(`${app.store.keys.base}:r:*:plan`);
  expect(left).toHaveLength(2);
});

test('nobody takes the workspace between the end of the run and its undo', async () => {
  const app = await createTestApp();
  const run = await endByHand(app, 'k');
  expect((await app.view(run)).run.finishedAt).not.toBeNull();
  await expect(app.submit(ALL_DONE, { workspace: 'workspace' })).rejects.toMatchObject({ code: 'workspace_in_use' });
  const other = await app.submit(ALL_DONE);
  expect(other.workspace).not.toBe('workspace');
  const submitted = await undoOnce(app, run);
  await expect(app.submit(ALL_DONE, { workspace: 'workspace' })).rejects.toMatchObject({ code: 'workspace_in_use' });
  await app.startPool();
  await app.atRest((submitted as { run: string }).run);
  expect(await app.file('workspace/undone')).toBe('b\na\n');
  expect((await app.submit(ALL_DONE, { workspace: 'workspace' })).workspace).toBe('workspace');
});

test('where nothing that completed has an undo, it is said and the workspace is free', async () => {
  const app = await createTestApp();
  await app.startPool();
  const { runId } = await app.submit(
    testPlan({ tasks: { a: { agent: 'noop' }, b: { agent: 'noop', approval: true, undo: 'x' } } }),
  );
  await waitUntil('it waits', async () => (await app.view(runId)).run.state === 'blocked');
  const { undo: asked } = await undoRun(context(app), runId, 5000);
  expect(asked).toEqual({ state: 'nothing', run: null, isNew: true, stages: [] });
  expect((await app.view(runId)).run.undo).toEqual({ state: 'nothing', run: null });
  expect((await app.submit(ALL_DONE, { workspace: 'workspace' })).workspace).toBe('workspace');
  expect(await app.store.record.findUndoWanted(10)).toEqual([]);
});

test('a run that has ended is undone as long as nobody else has its workspace or its folders', async () => {
  const app = await createTestApp();
  await app.startPool();
  const plan = testPlan({ tasks: { a: { agent: 'fake', undo: undo('a') }, b: { agent: 'noop', undo: undo('b') } } });
  const first = await app.submit(plan, { key: '1' });
  expect((await app.atRest(first.runId)).run.state).toBe('completed');
  const held = await app.submit(testPlan({ tasks: { a: { agent: 'fake', with: { hang: true } } } }), {
    workspace: 'workspace',
  });
  await untilRunning(app, held.runId, 'a');
  await expect(undoRun(context(app), first.runId, 0)).rejects.toMatchObject({ code: 'workspace_in_use' });
  await app.store.record.cancel(held.runId);
  await app.atRest(held.runId);
  const { undo: asked } = await undoRun(context(app), first.runId, 0);
  const undoing = await app.atRest(asked!.run!);
  expect(undoing.run.state).toBe('failed');
  expect(statesOf(undoing)).toEqual({ 'undo-a': 'failed', 'undo-b': 'completed' });
  expect(undoing.tasks[0]!.reason).toBe(`run ${held.runId} has used the folders of task "a" since`);
  expect((await app.view(first.runId)).run.state).toBe('completed');
});

test('an undo finds what its task has left and knows whose it is', async () => {
  const app = await createTestApp();
  await app.startPool();
  const { runId } = await app.submit(
    testPlan({
      tasks: {
        a: {
          run: 'echo "id=7" >> "$PLANQ_OUTPUT"; echo left > "$PLANQ_OUTPUT_DIR/file"',
          env: { WHO: 'me' },
          undo: 'cp "$PLANQ_UNDO_OUTPUT_DIR/file" seen; echo "$PLANQ_UNDO_RUN $PLANQ_UNDO_TASK $PLANQ_TASK_ID $WHO" >> seen; cp "$PLANQ_HANDOFF" handoff',
        },
      },
    }),
  );
  await app.atRest(runId);
  const { undo: asked } = await undoRun(context(app), runId, 0);
  expect((await app.atRest(asked!.run!)).run.state).toBe('completed');
  expect(await app.file('seen')).toBe(`left\n${runId} a undo-a me\n`);
  expect(JSON.parse(await app.file('handoff'))).toMatchObject({
    undo: { run_id: runId, id: 'a', state: 'completed', values: { id: '7' } },
  });
  expect(await app.file('workspace/outputs/a/file')).toBe('left\n');
});

test('the limits are those that the run was submitted with', async () => {
  const app = await createTestApp();
  const task = (id: string) => ({ agent: 'noop', undo: undo(id) });
  const tasks = { a: task('a'), b: task('b'), c: { agent: 'noop', phase: 'validation' } };
  const { runId } = await app.submit(testPlan({ limits: { phases: { validation: 1 } }, tasks }), { concurrency: 1 });
  for (const index of [0, 1]) {
    await app.store.record.claim({ run: runId, index, token: 't' }, 'w', 60_000);
    await app.store.record.settle({ run: runId, index, token: 't', kind: 'completed' });
  }
  await app.store.record.cancel(runId, true);
  const config = { ...app.config, limits: { ...app.config.limits, phases: { implementation: 1 } } };
  const reply = await submitUndo(app.store, config, systemClock, runId);
  const run = (reply as { run: string }).run;
  const [node] = await app.store.record.readFields(run, 'nodes', [0]);
  expect(parseNode(node!)).toMatchObject({
    l: [
      ['agents', 1, 1],
      ['agents', 1],
    ],
  });
  expect(JSON.parse((await app.store.record.readPlan(run)) ?? '')).toMatchObject({ limits: { phases: {} } });
});

test('a run is not pruned before its undo is over', async () => {
  const app = await createTestApp();
  const run = await endByHand(app, 'k');
  const later = () => systemClock.now() + 60_000;
  expect(await pruneRuns(app.store, later(), false)).toEqual({ runs: [], kept: [run] });
  const { run: undoing } = (await undoOnce(app, run)) as { run: string };
  expect((await pruneRuns(app.store, later(), false)).kept).toEqual([run]);
  await app.startPool();
  await app.atRest(undoing);
  await waitUntil('both are gone', async () => {
    await pruneRuns(app.store, later(), false);
    return (await app.store.record.listRuns(10)).length === 0;
  });
});

test('what the run has left in its workspace stays there', async () => {
  const app = await createTestApp();
  const run = await endByHand(app, 'k');
  await mkdir(path.join(app.projectDir, 'workspace'), { recursive: true });
  await writeFile(path.join(app.projectDir, 'workspace', 'report.md'), 'of the cancelled run');
  await undoOnce(app, run);
  expect(await app.file('workspace/report.md')).toBe('of the cancelled run');
});
