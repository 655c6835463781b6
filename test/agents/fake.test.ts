import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Invocation } from '../../src/agents/agent.ts';
import { FAKE_DEFAULTS, readFakeOptions } from '../../src/agents/fake-options.ts';
import { createAgents } from '../../src/agents/registry.ts';
import type { JsonValue, Task } from '../../src/plan/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { makeAttempt, makeTask, type TestAttempt } from '../support/agent.ts';
import { availableIsolations } from '../support/isolations.ts';
import { aliveOf, waitUntil } from '../support/processes.ts';

type Options = Record<string, JsonValue>;

function fake(options: Options = {}, parts: Partial<Invocation> = {}, task: Partial<Task> = {}): TestAttempt {
  return makeAttempt({ agent: 'fake', with: { work: '1ms', ...options }, ...task }, { graceMs: 100, ...parts });
}

/** Declares outputs in the attempt's output folder. */
function declare(attempt: TestAttempt, ...names: string[]): (name: string) => string {
  const at = (name: string): string => path.join(attempt.invocation.outputDir, name);
  attempt.invocation.outputs.push(...names.map((name) => (name.endsWith('/') ? `${at(name)}` : at(name))));
  return (name) => readFileSync(at(name), 'utf8');
}

function journalOf(file: string): Record<string, unknown>[] {
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
}

const isolations = await availableIsolations();

describe('the fake agent', () => {
  it('prints its steps', async () => {
    const attempt = fake({ steps: 2 });
    expect(await attempt.perform()).toEqual({ kind: 'completed', exitCode: 0, values: {} });
    expect(attempt.log()).toBe('::progress 50::step 1 of 2\n::progress 100::step 2 of 2\ndesign: done\n');
  });

  it('writes the declared outputs: text, JSON, folders and files that a pattern matches', async () => {
    const outputs = [
      { text: 'api/*.yaml', candidates: [{ base: 'output', path: 'api/*.yaml' }], directory: false, glob: true },
    ];
    const attempt = fake({}, {}, { outputs } as Partial<Task>);
    const read = declare(attempt, 'notes.md', 'data.json', 'deep/folder/', 'api/*.yaml', 'app/[id].tsx');
    await attempt.perform();
    expect(read('notes.md')).toBe('Written by the fake agent for task design, attempt 1.\n');
    expect(JSON.parse(read('data.json'))).toMatchObject({ task: 'design', attempt: 1 });
    expect(read('deep/folder/fake.txt')).toContain('design');
    expect(read('api/fake.yaml')).toContain('design');
    expect(read('app/[id].tsx')).toContain('design');
  });

  // In namespaces of their own all of them are process 2: a draft named after that alone is the others' draft too.
  it.each(isolations)('shares its outputs with tasks beside it, isolation %s', async (isolation) => {
    const files = Array.from({ length: 300 }, (_, index) => `shared/${index}.md`);
    const first = fake({}, { isolation });
    const read = declare(first, ...files);
    const { outputs } = first.invocation;
    const others = [1, 2, 3].map(() => fake({}, { isolation, outputs }));
    const outcomes = await Promise.all([first, ...others].map((attempt) => attempt.perform()));
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(Array(4).fill('completed'));
    expect(new Set(files.map(read))).toEqual(new Set(['Written by the fake agent for task design, attempt 1.\n']));
    expect(readdirSync(path.join(first.invocation.outputDir, 'shared'))).toHaveLength(files.length);
  });

  it('leaves outputs out, or empty, or writes none', async () => {
    const some = fake({ 'skip-outputs': ['a.md', 'folder'], 'empty-outputs': ['deep/c.md'] });
    const read = declare(some, 'a.md', 'b.md', 'deep/c.md', 'folder/');
    await some.perform();
    expect(() => read('a.md')).toThrow('ENOENT');
    expect(existsSync(path.join(some.invocation.outputDir, 'folder'))).toBe(false);
    expect([read('b.md').length > 0, read('deep/c.md')]).toEqual([true, '']);
    const none = fake({ 'write-outputs': false });
    const readNone = declare(none, 'a.md');
    await none.perform();
    expect(() => readNone('a.md')).toThrow('ENOENT');
  });

  it('fails the first times, by the number of the attempt alone', async () => {
    const options = { 'fail-times': 2, 'exit-code': 5 };
    const failed = { kind: 'retryable', reason: 'Exit code 5', exitCode: 5 };
    expect(await fake(options, { attempt: 2 }).perform()).toEqual(failed);
    expect(await fake(options, { attempt: 3 }).perform()).toMatchObject({ kind: 'completed' });
    expect(await fake({ 'fail-times': 'always' }, { attempt: 99 }).perform()).toMatchObject({ exitCode: 1 });
    expect(await fake({ 'exit-code': 7 }, { attempt: 99 }).perform()).toMatchObject({ exitCode: 7 });
  });

  it.each(['SIGKILL', 'SIGSEGV', 'SIGTERM'])('dies by %s', async (signal) => {
    const attempt = fake({ 'die-by': signal, 'ignore-term': false });
    expect(await attempt.perform()).toMatchObject({ kind: 'retryable', reason: `Killed by ${signal}` });
  });

  it('hands values on', async () => {
    const values = { url: 'http://x', text: 'a\nb', list: [1] };
    const expected = { url: 'http://x', text: 'a\nb', list: '[1]' };
    expect(await fake({ values }).perform()).toMatchObject({ kind: 'completed', values: expected });
  });

  it('floods its log', async () => {
    const attempt = fake({ flood: '0.25MB' });
    await attempt.perform();
    expect(statSync(attempt.invocation.logFile).size).toBeGreaterThanOrEqual(250_000);
  });

  it('ignores TERM, and is killed after the grace', async () => {
    const attempt = fake({ hang: true, 'ignore-term': true });
    const journal = path.join(attempt.invocation.projectDir, 'journal');
    attempt.invocation.env.PLANQ_FAKE_JOURNAL = journal;
    const performed = attempt.perform();
    await waitUntil('its start', () => existsSync(journal));
    const begin = performance.now();
    attempt.stop('cancel');
    await performed;
    expect(performance.now() - begin).toBeGreaterThanOrEqual(95);
    expect(attempt.processes()).toEqual([]);
  });

  it('leaves grandchildren behind, which are stopped and named', async () => {
    const attempt = fake({ grandchildren: 2 });
    const journal = path.join(attempt.invocation.projectDir, 'journal');
    attempt.invocation.env.PLANQ_FAKE_JOURNAL = journal;
    expect(await attempt.perform()).toMatchObject({ kind: 'completed' });
    const pids = journalOf(journal)[0]!.grandchildren as number[];
    expect(pids).toHaveLength(2);
    expect(aliveOf(pids)).toEqual([]);
    expect(attempt.warnings()).toEqual([expect.stringContaining(String(pids[0]))]);
  });

  it('waits for a file, and keeps a journal of its start and end', async () => {
    const attempt = fake({});
    const { projectDir, env, task } = attempt.invocation;
    const [gate, journal] = [path.join(projectDir, 'gate'), path.join(projectDir, 'journal')];
    task.with['wait-for'] = gate;
    env.PLANQ_FAKE_JOURNAL = journal;
    const performed = attempt.perform();
    await waitUntil('its work', () => attempt.reports.some((report) => report.kind === 'progress'));
    expect(journalOf(journal).map((line) => line.event)).toEqual(['start']);
    writeFileSync(gate, '');
    await performed;
    const line = { run: 'run-1', task: 'design', attempt: 1, pid: expect.any(Number), at: expect.any(Number) };
    expect(journalOf(journal)).toEqual([
      { event: 'start', ...line },
      { event: 'end', ...line, code: 0 },
    ]);
  });

  it('is steered from outside: everybody, then the task itself', async () => {
    const PLANQ_FAKE = JSON.stringify({ '*': { 'exit-code': 3, work: '1ms' }, design: { 'exit-code': 4 } });
    expect(await fake({ work: '1h' }, { env: { PLANQ_FAKE } }).perform()).toMatchObject({ exitCode: 4 });
    const other = fake({ work: '1h' }, { env: { PLANQ_FAKE } }, { id: 'other' });
    expect(await other.perform()).toMatchObject({ exitCode: 3 });
  });

  it('passes over steering that is not JSON, with a warning', async () => {
    const attempt = fake({}, { env: { PLANQ_FAKE: 'nonsense' } });
    expect(await attempt.perform()).toMatchObject({ kind: 'completed' });
    expect(attempt.warnings()).toEqual(['PLANQ_FAKE is not JSON and was ignored']);
  });
});

describe('the options of the fake agent', () => {
  it('have defaults', () => {
    expect(readFakeOptions({})).toEqual({ options: FAKE_DEFAULTS, faults: new Map() });
  });

  it.each([
    ['work', '2s', 2000],
    ['fail-times', 'always', null],
    ['flood', '10MB', 10_000_000],
    ['flood', 1000, 1000],
    ['flood', '1.5k', 1500],
    ['die-by', 'SIGSEGV', 'SIGSEGV'],
    ['values', { a: 1, b: 'x' }, { a: '1', b: 'x' }],
  ] as [string, JsonValue, unknown][])('%s: %j is read', (name, value, expected) => {
    expect(readFakeOptions({ [name]: value })).toEqual({
      options: { ...FAKE_DEFAULTS, [name]: expected },
      faults: new Map(),
    });
  });

  it.each([
    ['work', 5, '5 is not a duration such as 2s'],
    ['steps', -1, '-1 is not a whole number from 0 to 1000'],
    ['fail-times', 'never', '"never" is not a whole number from 0 to 1000 or "always"'],
    ['hang', 'yes', '"yes" is not true or false'],
    ['flood', 'much', '"much" is not a size such as 10MB'],
    ['die-by', 'SIGFOO', '"SIGFOO" is not a signal such as SIGKILL'],
    ['die-by', 'toString', '"toString" is not a signal such as SIGKILL'],
    ['values', ['a'], '["a"] is not a mapping'],
    ['skip-outputs', 'a', '"a" is not a list of names'],
    ['wait-for', '', '"" is not text'],
  ] as [string, JsonValue, string][])('%s: %j is refused, and the default taken', (name, value, message) => {
    expect(readFakeOptions({ [name]: value })).toEqual({ options: FAKE_DEFAULTS, faults: new Map([[name, message]]) });
  });

  it('are checked when the task names this agent, and passed over when it stands in for another', () => {
    const agent = createAgents({ clock: systemClock }).get('fake')!;
    const options = { module: './x.mjs', 'fail-time': 1, hang: 'yes' };
    expect(agent.validate(makeTask({ agent: 'function', with: options }))).toEqual([]);
    const problems = agent.validate(makeTask({ agent: 'fake', with: options }));
    expect(problems.map(({ severity, path: where, hint }) => [severity, where, hint?.slice(0, 26)])).toEqual([
      ['warning', 'tasks.design.with.module', 'it takes work, steps, writ'],
      ['warning', 'tasks.design.with.fail-time', 'did you mean "fail-times"?'],
      ['error', 'tasks.design.with.hang', undefined],
    ]);
  });
});
