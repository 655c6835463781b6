import { symlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decide } from '../../src/control/decide.ts';
import { exportRun, type RunExport, writeExport } from '../../src/control/export-run.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp, testPlan } from '../support/app.ts';

const plan = testPlan({
  'approve-before': [2],
  tasks: {
    'make/it': {
      run: 'echo made; echo hello > "$PLANQ_OUTPUT_DIR/a.txt"; echo n=1 >> "$PLANQ_OUTPUT"',
      outputs: ['a.txt'],
    },
    use: { run: 'echo xyz > src.txt', needs: 'make/it', outputs: ['./src.txt'] },
  },
});

test('everything of a run is in one document, and its logs beside it', async () => {
  const app = await createTestApp();
  const { runId } = await app.submit(plan);
  await app.startPool();
  await app.atRest(runId);
  await decide(app.store, systemClock, runId, 'gate:1', 'approve', { by: 'ann', comment: 'go' });
  await app.atRest(runId);
  const exported = await exportRun(app.store, runId);
  expect(exported).toMatchObject({
    version: 1,
    run: { id: runId, state: 'completed' },
    plan: { name: 'test' },
    tasks: [
      { state: { id: 'make/it', state: 'completed' }, definition: { id: 'make/it' }, values: { n: '1' } },
      { state: { id: 'use' }, logFile: expect.stringMatching(/use\.log$/) },
    ],
    report: { durationMs: expect.any(Number), failed: [] },
    decisions: [{ subject: 'gate:1', verdict: 'approve', by: 'ann', comment: 'go' }],
    outputs: [
      { task: 'make/it', path: 'workspace/outputs/make/it/a.txt', bytes: 6 },
      { task: 'use', path: 'src.txt', bytes: 4 },
    ],
  });
  const types = exported.events.map(({ type }) => type);
  expect(types[0]).toBe('run-submitted');
  expect(types).toContain('approved');
  expect(types.at(-1)).toBe('run-completed');

  const folder = path.join(app.projectDir, 'out');
  await writeExport(exported, folder);
  const written = JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')) as RunExport;
  expect(written.tasks.map(({ logFile }) => logFile)).toEqual(['logs/make/it.log', 'logs/use.log']);
  expect(await readFile(path.join(folder, 'logs/make/it.log'), 'utf8')).toBe('made\n');
});

test('a log that is a link to something else is not copied', async () => {
  const app = await createTestApp();
  const { runId } = await app.submit(testPlan({ tasks: { a: { run: 'echo hello' } } }));
  await app.startPool();
  await app.atRest(runId);
  const secret = path.join(app.projectDir, 'secret');
  writeFileSync(secret, 'secret');
  const log = path.join(app.projectDir, 'workspace/logs/a.log');
  await rm(log);
  symlinkSync(secret, log);
  const exported = await exportRun(app.store, runId);
  expect(exported.tasks[0]?.logFile).toBeNull();
  const folder = path.join(app.projectDir, 'out');
  await writeExport(exported, folder);
  expect(await readdir(folder)).toEqual(['run.json']);
});
