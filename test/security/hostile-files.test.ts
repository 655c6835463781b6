/**
 * Agents that put links, pipes and names of their own where the worker will look next. Real processes: what one task did
 * is still there when the next begins.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readFakeOptions } from '../../src/agents/fake-options.ts';
import { parseValues } from '../../src/agents/values.ts';
import { makeAttempt } from '../support/agent.ts';
import { createTestApp, statesOf, type TestApp, testPlan } from '../support/app.ts';

async function createOutside(): Promise<string> {
  const outside = await mkdtemp(path.join(tmpdir(), 'planq-outside-'));
  onTestFinished(() => rm(outside, { recursive: true, force: true }));
  writeFileSync(path.join(outside, 'secret'), 'outside');
  return outside;
}

async function reasonsOf(app: TestApp, tasks: Record<string, unknown>): Promise<Record<string, string | null>> {
  const { runId } = await app.submit(testPlan({ tasks }));
  await app.startPool();
  return Object.fromEntries((await app.atRest(runId)).tasks.map(({ id, reason }) => [id, reason]));
}

describe('declared outputs', () => {
  it('that an agent made of something outside, or of no file, fail the task and hold nobody up', async () => {
    const app = await createTestApp();
    const outside = await createOutside();
    const env = { OUTSIDE: outside };
    const make = (run: string, name = 'x.md') => ({
      run: `cd "$PLANQ_OUTPUT_DIR"; ${run}`,
      env,
      outputs: [name],
      retries: 0,
    });
    const reasons = await reasonsOf(app, {
      link: make('ln -s "$OUTSIDE/secret" x.md'),
      hard: make('ln "$OUTSIDE/secret" x.md'),
      pipe: make('mkfifo x.md'),
      device: make('ln -s /dev/zero x.md'),
      dangling: make('ln -s nowhere x.md'),
      loop: make('ln -s x.md x.md'),
      json: make('ln -s /dev/zero x.json', 'x.json'),
      folder: make('ln -s "$OUTSIDE" x', 'x/'),
      glob: make('ln -s "$OUTSIDE" sub', 'workspace/outputs/glob/sub/sec*'),
      match: make('ln -s "$OUTSIDE/secret" x.md', 'workspace/outputs/match/*.md'),
      way: make('rm -rf "$PLANQ_OUTPUT_DIR"; ln -s "$OUTSIDE" "$PLANQ_OUTPUT_DIR"', 'secret'),
    });
    expect(reasons).toMatchObject({
      link: expect.stringContaining('leads outside'),
      hard: expect.stringContaining('hard link'),
      pipe: expect.stringContaining('not a regular file'),
      device: expect.stringMatching(/not a regular file/),
      dangling: expect.stringContaining('Missing outputs'),
      loop: expect.stringContaining('Invalid outputs'),
      json: expect.stringContaining('not a regular file'),
      folder: expect.stringContaining('leads outside'),
      glob: expect.stringContaining('no file matches'),
      match: expect.stringContaining('no file matches'),
      way: expect.stringContaining('leads outside'),
    });
  });
});

describe('declared inputs', () => {
  it('that lead outside are missing, with the reason', async () => {
    const app = await createTestApp();
    const outside = await createOutside();
    symlinkSync(path.join(outside, 'secret'), path.join(app.projectDir, 'in.md'));
    symlinkSync(outside, path.join(app.projectDir, 'way'));
    execFileSync('mkfifo', [path.join(app.projectDir, 'pipe')]);
    writeFileSync(path.join(app.projectDir, 'good.md'), 'x');
    const take = (input: string) => ({ run: 'true', inputs: [input], retries: 0 });
    expect(
      await reasonsOf(app, {
        a: take('in.md'),
        b: take('way/secret'),
        c: take('way/*'),
        d: take('pipe'),
        e: take('good.md'),
      }),
    ).toEqual({
      a: 'Missing inputs: in.md (it leads outside the project)',
      b: 'Missing inputs: way/secret (it leads outside the project)',
      c: 'Missing inputs: way/*',
      d: 'Missing inputs: pipe (it is not a regular file)',
      e: null,
    });
  });
});

describe('the files of an attempt', () => {
  it('are not written through links that an earlier agent left', async () => {
    const app = await createTestApp();
    const outside = await createOutside();
    const attempts = path.join(app.projectDir, 'workspace/attempts');
    mkdirSync(path.join(attempts, 'file'), { recursive: true });
    symlinkSync(path.join(outside, 'secret'), path.join(attempts, 'file/prompt.md'));
    symlinkSync(path.join(outside, 'secret'), path.join(attempts, 'file/output'));
    symlinkSync(path.join(outside, 'secret'), path.join(attempts, 'file/handoff.json'));
    linkSync(path.join(outside, 'secret'), path.join(attempts, 'file/run'));
    symlinkSync(outside, path.join(attempts, 'folder'));
    const reasons = await reasonsOf(app, {
      file: { run: 'cat "$PLANQ_PROMPT"', prompt: 'p', retries: 0 },
      folder: { run: 'true', prompt: 'p', retries: 0 },
    });
    expect(reasons.file).toBeNull();
    expect(reasons.folder).toMatch(/cannot use folder .* leads outside the workspace/);
    expect(readFileSync(path.join(outside, 'secret'), 'utf8')).toBe('outside');
    expect(existsSync(path.join(outside, 'prompt.md'))).toBe(false);
  });

  it('are read back by what they are: a PLANQ_OUTPUT that became a link, a pipe or endless fails the task', async () => {
    const app = await createTestApp();
    const outside = await createOutside();
    const make = (run: string) => ({ run, env: { OUTSIDE: outside }, retries: 0 });
    const reasons = await reasonsOf(app, {
      link: make('ln -sf "$OUTSIDE/secret" "$PLANQ_OUTPUT"'),
      hard: make('ln -f "$OUTSIDE/secret" "$PLANQ_OUTPUT"'),
      pipe: make('rm "$PLANQ_OUTPUT"; mkfifo "$PLANQ_OUTPUT"'),
      device: make('ln -sf /dev/zero "$PLANQ_OUTPUT"'),
      large: make('head -c 70000 /dev/zero > "$PLANQ_OUTPUT"'),
    });
    for (const reason of Object.values(reasons)) expect(reason).toContain('PLANQ_OUTPUT');
  });
});

describe('names that every object has', () => {
  const WORDS = ['__proto__', 'constructor', 'prototype', 'toString'];

  it('are handed on as values of that name, or refused with a warning', async () => {
    const app = await createTestApp();
    const lines = WORDS.map((word) => `${word}={"polluted":1}`).join('\n');
    const { values, warnings } = parseValues(lines);
    expect(Object.keys(values).sort()).toEqual(['constructor', 'prototype', 'toString']);
    expect(warnings).toHaveLength(1);
    const { runId } = await app.submit(
      testPlan({
        tasks: {
          a: { run: ['sh', '-c', 'printf %s "$0" > "$PLANQ_OUTPUT"', lines] },
          b: { run: 'cp "$PLANQ_HANDOFF" "$PLANQ_OUTPUT_DIR/handoff"', needs: 'a' },
        },
      }),
    );
    await app.startPool();
    expect(statesOf(await app.atRest(runId))).toEqual({ a: 'completed', b: 'completed' });
    const handoff = JSON.parse(await app.file('workspace/outputs/b/handoff'));
    expect(Object.entries(handoff.context.dependencies_completed[0].values).sort()).toEqual(
      ['constructor', 'prototype', 'toString'].map((word) => [word, '{"polluted":1}']),
    );
    expect('polluted' in {}).toBe(false);
  });

  it('are options of the fake agent that it does not know', () => {
    const given = JSON.parse('{"__proto__":{"polluted":1,"work":"9h"},"constructor":{"prototype":{"polluted":1}}}');
    const { options, faults } = readFakeOptions(given);
    expect([options.work, faults.size, 'polluted' in {}]).toEqual([100, 0, false]);
  });

  it.each([
    '{"__proto__": {"exit-code": 9}, "*": {"__proto__": {"exit-code": 9}}}',
    '{"constructor": {"prototype": {"polluted": 1}}}',
    'null',
    '[]',
    '5',
    '"x"',
    '{"*": null, "design": 7}',
    `${'['.repeat(50_000)}`,
    `{"*":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
    'not json',
  ])('or anything else in PLANQ_FAKE neither crash nor steer it: %.60s', async (text) => {
    const { perform } = makeAttempt({ agent: 'fake', with: { work: '1ms' } }, { env: { PLANQ_FAKE: text } });
    expect(await perform()).toMatchObject({ kind: 'completed' });
    expect('polluted' in {}).toBe(false);
  });
});
