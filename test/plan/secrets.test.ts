import { expect, it } from 'vitest';
import { parsePlan } from '../../src/plan/parse.ts';

function parse(text: string) {
  return parsePlan({ kind: 'file', file: 'plan.yaml', text }, { knownAgents: new Set(['command']), resources: {} });
}

function problemsOf(text: string) {
  const parsed = parse(text);
  return parsed.ok ? parsed.value.problems : parsed.error;
}

it('gives a task the secrets that the plan and the task name, each once', () => {
  const parsed = parse(
    'name: x\nsecrets: [NPM_TOKEN]\ntasks:\n  a: { run: x, secrets: [OPENAI_API_KEY, NPM_TOKEN] }\n  b: { run: x }\n',
  );
  expect(parsed.ok && parsed.value.plan.tasks.map((task) => task.secrets)).toEqual([
    ['NPM_TOKEN', 'OPENAI_API_KEY'],
    ['NPM_TOKEN'],
  ]);
});

it('refuses what is no name, and names that change which program runs', () => {
  const text = 'name: x\nsecrets: [LD_PRELOAD]\ntasks:\n  a: { run: x, secrets: [REDIS_URL, GOOD_KEY] }\n';
  expect(problemsOf(text)).toMatchObject([
    { code: 'refused-env', line: 2, message: expect.stringContaining('LD_PRELOAD') },
    { code: 'refused-env', line: 4, message: expect.stringContaining('REDIS_URL') },
  ]);
  expect(problemsOf('name: x\ntasks:\n  a: { run: x, secrets: { KEY: value } }\n')).toMatchObject([
    { code: 'bad-value', message: expect.stringContaining('list of names') },
  ]);
});

it('warns of a value in env that looks like a secret, without showing it', () => {
  const problems = problemsOf(
    [
      'name: x',
      'env: { NPM_TOKEN: npm_value, MAX_TOKENS: "20000", USE_KEY: true }',
      'tasks:',
      '  a:',
      '    run: x',
      '    env: { DB_PASSWORD: hunter2222, MODE: fast }',
    ].join('\n'),
  );
  expect(problems).toMatchObject([
    { code: 'secret-in-env', severity: 'warning', line: 2, hint: expect.stringContaining('secrets: [NPM_TOKEN]') },
    { code: 'secret-in-env', severity: 'warning', line: 6, hint: expect.stringContaining('secrets: [DB_PASSWORD]') },
  ]);
  expect(JSON.stringify(problems)).not.toMatch(/npm_value|hunter2222/);
});
