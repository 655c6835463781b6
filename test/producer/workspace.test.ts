import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createTestApp, testPlan } from '../support/app.ts';

const fake = (options: Record<string, unknown> = {}) => ({ agent: 'fake', with: { work: '1ms', ...options } });

test('what an earlier attempt left in the output folder never passes for a result', async () => {
  const app = await createTestApp();
  const stale = path.join(app.projectDir, 'workspace/outputs/a/result.json');
  await mkdir(path.dirname(stale), { recursive: true });
  await writeFile(stale, '{}');
  const { runId } = await app.submit(
    testPlan({ tasks: { a: { ...fake({ 'write-outputs': false }), outputs: ['result.json'], retries: 0 } } }),
  );
  await app.startPool();
  const view = await app.atRest(runId);
  expect(view.tasks[0]).toMatchObject({ state: 'failed', reason: 'Missing outputs: workspace/outputs/a/result.json' });
  expect(await readdir(path.join(app.projectDir, 'workspace/previous/a/1'))).toEqual(['result.json']);
});

test('a second run in a workspace starts with statuses and logs of its own', async () => {
  const app = await createTestApp();
  await app.startPool();
  const plan = testPlan({ tasks: { a: fake(), b: { ...fake({ 'fail-times': 'always' }), retries: 0 } } });
  const first = await app.submit(plan);
  await app.atRest(first.runId);
  await app.store.record.cancel(first.runId);
  const second = await app.submit(testPlan({ tasks: { a: fake() } }));
  await app.atRest(second.runId);
  expect(await readdir(path.join(app.projectDir, 'workspace/status'))).toEqual(['a.json']);
  expect((await readdir(path.join(app.projectDir, 'workspace/previous/.runs/1/status'))).sort()).toEqual([
    'a.json',
    'b.json',
  ]);
  const log = await readFile(path.join(app.projectDir, 'workspace/logs/a.log'), 'utf8');
  expect(log.match(/a: done/g)).toHaveLength(1);
  expect(await readdir(path.join(app.projectDir, 'workspace/pids'))).toEqual([]);
});

test('the handoff tells what came before, with its values, and what waits', async () => {
  const app = await createTestApp();
  const read = 'cp "$PLANQ_HANDOFF" "$PLANQ_OUTPUT_DIR/handoff.json"';
  const plan = testPlan({
    tasks: {
      first: { ...fake({ values: { version: '1.2.3' } }), title: 'First', outputs: ['notes.md'] },
      second: { run: read, title: 'Second', prompt: 'Do it', needs: 'first', outputs: ['handoff.json'] },
      third: { ...fake(), title: 'Third', needs: 'second' },
    },
  });
  const { runId } = await app.submit(plan);
  await app.startPool();
  expect((await app.atRest(runId)).run.state).toBe('completed');
  const handoff = JSON.parse(await app.file('workspace/outputs/second/handoff.json')) as Record<string, unknown>;
  expect(handoff).toMatchObject({
    run_id: runId,
    to: 'development',
    attempt: 1,
    task: { id: 'second', title: 'Second', prompt: 'Do it' },
    context: {
      dependencies_completed: [
        {
          id: 'first',
          state: 'completed',
          outputs: ['notes.md'],
          output_dir: path.join(app.projectDir, 'workspace/outputs/first'),
          values: { version: '1.2.3' },
        },
      ],
      next_tasks: [{ id: 'third', title: 'Third' }],
    },
  });
});

test('a check command has the last word', async () => {
  const app = await createTestApp();
  const task = (check: string | string[]) => ({ ...fake(), outputs: ['x.txt'], retries: 0, check });
  const plan = testPlan({
    tasks: { good: task('test -s "$PLANQ_OUTPUT_DIR/x.txt"'), bad: task(['sh', '-c', 'echo no good; exit 3']) },
  });
  const { runId } = await app.submit(plan);
  await app.startPool();
  const view = await app.atRest(runId);
  expect(view.tasks.map((one) => [one.state, one.reason, one.exitCode])).toEqual([
    ['completed', null, 0],
    ['failed', 'Check failed: Exit code 3', 3],
  ]);
  expect(await app.file('workspace/logs/bad.log')).toContain('no good');
});

test('the fake agent leaves alone what stands in the project already', async () => {
  const app = await createTestApp();
  const file = path.join(app.projectDir, 'src/a.rs');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, 'precious');
  const { runId } = await app.submit(testPlan({ tasks: { a: { ...fake(), outputs: ['src/a.rs', 'src/b.rs'] } } }));
  await app.startPool();
  expect((await app.atRest(runId)).run.state).toBe('completed');
  expect(await app.file('src/a.rs')).toBe('precious');
  expect(await app.file('src/b.rs')).toContain('fake agent');
});
