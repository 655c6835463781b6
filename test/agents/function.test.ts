import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAgents } from '../../src/agents/registry.ts';
import type { JsonValue } from '../../src/plan/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { makeAttempt, makeTask, type TestAttempt } from '../support/agent.ts';
import { waitUntil } from '../support/processes.ts';

/** An attempt whose project holds `tasks.mjs` with this text. */
function attemptOf(code: string, options: Record<string, JsonValue> = {}): TestAttempt {
  const attempt = makeAttempt({ agent: 'function', with: { module: './tasks.mjs', ...options } });
  writeFileSync(path.join(attempt.invocation.projectDir, 'tasks.mjs'), code);
  return attempt;
}

describe('a function', () => {
  it('gets its task, its arguments and the handoff', async () => {
    const code = `export default ({ signal, progress, ...context }) =>
      ({ ...context, kinds: [signal.constructor.name, typeof progress] });`;
    const attempt = attemptOf(code, { args: { deep: [1, null] } });
    const { outputDir, projectDir } = attempt.invocation;
    expect(await attempt.perform()).toEqual({
      kind: 'completed',
      exitCode: 0,
      values: {
        result: {
          args: { deep: [1, null] },
          handoff: { task: 'design' },
          attempt: 1,
          runId: 'run-1',
          taskId: 'design',
          outputDir,
          projectDir,
          kinds: ['AbortSignal', 'function'],
        },
      },
    });
  });

  it('may be named, be asynchronous, and tell how far it is', async () => {
    const code = `export async function build({ progress }) { progress(50, 'half\\nway'); console.log('hello'); return 'built'; }`;
    const attempt = attemptOf(code, { export: 'build' });
    expect(await attempt.perform()).toMatchObject({ kind: 'completed', values: { result: 'built' } });
    expect(attempt.reports).toContainEqual({ kind: 'progress', percent: 50, message: 'half way' });
    expect(attempt.reports).toContainEqual({ kind: 'lines', lines: ['hello'] });
  });

  it('that returns nothing has no result', async () => {
    expect(await attemptOf('export default () => {};').perform()).toEqual({
      kind: 'completed',
      exitCode: 0,
      values: {},
    });
  });

  it('may write values of its own beside its result', async () => {
    const code = `import { appendFileSync } from 'node:fs';
      export default () => { appendFileSync(process.env.PLANQ_OUTPUT, 'a=1'); return [2]; };`;
    expect(await attemptOf(code).perform()).toMatchObject({ values: { a: '1', result: [2] } });
  });

  it('comes from an installed package as well', async () => {
    const attempt = attemptOf('', { module: 'helper' });
    const folder = path.join(attempt.invocation.projectDir, 'node_modules/helper');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'index.js'), 'module.exports = () => "from the package";');
    expect(await attempt.perform()).toMatchObject({ values: { result: 'from the package' } });
  });

  it('ends although it left a timer running', async () => {
    const code = 'setInterval(() => {}, 1000); export default () => 1;';
    expect(await attemptOf(code).perform()).toMatchObject({ kind: 'completed' });
  });

  it.each([
    ['throws', 'export default () => { throw new Error("broken here"); }', 'Error: broken here\n    at '],
    ['rejects', 'export default async () => { throw "plain words"; }', 'plain words'],
    ['is missing', 'export const other = 1;', './tasks.mjs has no function "default"; it exports other'],
    ['cannot be loaded', 'this is no code', 'SyntaxError'],
    ['returns too much', 'export default () => "x".repeat(70000)', 'the result is 70002 bytes of JSON, too much'],
    ['returns what is not JSON', 'export default () => () => 1', 'the result is not JSON: a function'],
  ])('that %s fails with the reason in the log', async (_, code, text) => {
    const attempt = attemptOf(code);
    expect(await attempt.perform()).toEqual({ kind: 'retryable', reason: 'Exit code 1', exitCode: 1 });
    expect(attempt.log()).toContain(text);
  });

  it('is told to stop by its signal', async () => {
    const code = `export default ({ signal }) => new Promise((resolve) => {
      setInterval(() => {}, 1000);
      signal.addEventListener('abort', () => { console.log('told'); resolve(); });
      console.log('ready');
    });`;
    const attempt = attemptOf(code);
    const performed = attempt.perform();
    await waitUntil('the function', () => attempt.reports.some((report) => report.kind === 'lines'));
    attempt.stop('cancel');
    expect(await performed).toMatchObject({ kind: 'cancelled' });
    expect(attempt.log()).toBe('ready\ntold\n');
  });
});

describe('checking a function task', () => {
  const check = (options: Record<string, JsonValue>): unknown[] => {
    const agent = createAgents({ clock: systemClock }).get('function')!;
    return agent
      .validate(makeTask({ agent: 'function', with: options }))
      .map(({ code, path, hint }) => [code, path, hint]);
  };

  it('finds all mistakes at once', () => {
    expect(check({ module: 3, exports: 'x', export: [] })).toEqual([
      ['agent-option-unknown', 'tasks.design.with.exports', 'did you mean "export"?'],
      ['agent-option-invalid', 'tasks.design.with.module', undefined],
      ['agent-option-invalid', 'tasks.design.with.export', undefined],
    ]);
  });

  it('asks for the module', async () => {
    const hint = 'add with.module, for example ./tasks/build.mjs';
    expect(check({})).toEqual([['agent-option-missing', 'tasks.design.with.module', hint]]);
    expect(await makeAttempt({ agent: 'function' }).perform()).toMatchObject({ kind: 'failed' });
  });
});
