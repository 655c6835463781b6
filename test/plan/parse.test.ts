import { describe, expect, test } from 'vitest';
import { parsePlan } from '../../src/plan/parse.ts';
import { codesOf, OPTIONS, only, planOf, problemsOf } from './plans.ts';

describe('a plan in YAML', () => {
  test('needs no more than a name and one task', () => {
    const plan = planOf('name: tiny\ntasks: { a: { run: "true" } }');
    expect(plan).toMatchObject({ name: 'tiny', barrier: 'stage', stages: null, source: { format: 'yaml' } });
    expect(plan.tasks[0]).toMatchObject({
      id: 'a',
      title: 'a',
      master: 'development',
      phase: 'implementation',
      agent: 'command',
      run: 'true',
      attempts: 3,
      priority: 'medium',
      timeoutMs: null,
    });
  });

  test('gives every field its meaning', () => {
    const plan = planOf(`
name: all
env: { LEVEL: 1, SHARED: plan }
limits: { agents: 3, gpu: 2, phases: { 01-analysis: 1 }, masters: { security: 1 }, resources: { "repo:web": 1 } }
defaults: { timeout: 1h, retries: 0, env: { SHARED: defaults } }
tasks:
  a:
    title: First
    description: ignored when there is a prompt
    prompt: Do it
    master: security
    phase: 01-analysis
    run: [echo, hello]
    env: { OWN: true }
    outputs: [report.md, data/, src/a.ts, workspace/outputs/a/x.json]
    check: test -s x
    takes: [gpu, "repo:web"]
    resources: { cpus: 1.5, memory: 4GB }
    priority: critical
    estimate: { minutes: "20-30", tokens: 5000 }
    timeout: 45m
    retries: 4
    continue-on-error: true
  b:
    agent: fake
    with: { work: 1s }
    needs: { task: a, when: done }
    estimate: 10-15 minutes
    takes: { gpu: 2 }
    inputs: [a/report.md, README.md]
`);
    const [a, b] = plan.tasks;
    expect(plan.limits).toEqual({
      agents: 3,
      phases: { analysis: 1 },
      masters: { security: 1 },
      resources: { gpu: 2, 'repo:web': 1 },
    });
    expect(a).toMatchObject({
      prompt: 'Do it',
      phase: 'analysis',
      run: ['echo', 'hello'],
      env: { LEVEL: '1', SHARED: 'defaults', OWN: 'true' },
      takes: { gpu: 1, 'repo:web': 1 },
      cpus: 1.5,
      memoryBytes: 4_000_000_000,
      estimate: { minMinutes: 20, maxMinutes: 30, tokens: 5000 },
      timeoutMs: 2_700_000,
      attempts: 5,
      continueOnError: true,
    });
    expect(b).toMatchObject({
      agent: 'fake',
      with: { work: '1s' },
      needs: [{ task: 'a', when: 'done' }],
      estimate: { minMinutes: 10, maxMinutes: 15 },
      takes: { gpu: 2 },
      cpus: null,
      memoryBytes: null,
      timeoutMs: 3_600_000,
      attempts: 1,
    });
    expect(a!.source).toEqual({ file: 'plan.yaml', line: 7, column: 3 });
  });

  test('is read the same as JSON, with places', () => {
    const text = JSON.stringify(
      { name: 'x', tasks: { a: { run: 'true' }, b: { run: 'true', needs: ['aa'] } } },
      null,
      2,
    );
    const problem = only(problemsOf(text, {}, 'plan.json'), 'unknown-need');
    expect(problem).toMatchObject({
      file: 'plan.json',
      line: 10,
      column: 9,
      path: 'tasks.b.needs[0]',
      hint: 'did you mean "a"?',
    });
  });

  test('keeps the order of the document, also of ids that are numbers', () => {
    expect(
      planOf('name: x\ndefaults: {run: x}\ntasks: { b: {}, 10: {}, a: {}, 2: {} }').tasks.map(({ id }) => id),
    ).toEqual(['b', '10', 'a', '2']);
  });

  test('takes the agent of the defaults for tasks that name none, and its options only for that agent', () => {
    const [a, b, c] = planOf(
      'name: x\ndefaults: { agent: fake, with: { work: 1s } }\ntasks: { a: {}, b: { run: "true" }, c: { with: { steps: 2 } } }',
    ).tasks;
    expect(a).toMatchObject({ agent: 'fake', with: { work: '1s' } });
    expect(b).toMatchObject({ agent: 'command', with: {} });
    expect(c).toMatchObject({ agent: 'fake', with: { work: '1s', steps: 2 } });
  });

  test('can be given another agent for all tasks, which keeps the command as data', () => {
    const [a, b] = planOf('name: x\ntasks: { a: { run: "true" }, b: { agent: fake, with: { work: 1s } } }', {
      agent: 'fake',
    }).tasks;
    expect(a).toMatchObject({ agent: 'fake', run: 'true', with: {} });
    expect(b).toMatchObject({ agent: 'fake', with: { work: '1s' } });
  });
});

describe('mistakes', () => {
  test('are all told at once, in the order of the file', () => {
    const text = `name: x
barier: stage
tasks:
  a: { run: "true", retries: 101, needs: [cc] }
  b: { agent: faek, needs: a, timeout: 30 }
  c: { run: "true", priority: hihg, takes: { gpu: 1 } }
`;
    expect(problemsOf(text).map(({ code, line, column, hint }) => [code, line, column, hint])).toEqual([
      ['unknown-key', 2, 1, 'did you mean "barrier"?'],
      ['bad-value', 4, 30, undefined],
      ['unknown-need', 4, 43, 'did you mean "c"?'],
      ['unknown-agent', 5, 15, 'did you mean "fake"?'],
      ['bad-value', 5, 40, 'write "30m" for minutes or "30s" for seconds'],
      ['bad-value', 6, 31, 'did you mean "high"?'],
      ['unknown-resource', 6, 46, 'give it a capacity: limits: { gpu: 1 }'],
    ]);
  });

  test('of shape do not hide the circle behind them', () => {
    expect(codesOf('name: x\ndefaults: {run: x}\ntasks: { a: { needs: b, retries: x }, b: { needs: a } }')).toEqual([
      'cycle',
      'bad-value',
    ]);
  });

  test('in a task do not make other tasks wrong that need it', () => {
    expect(codesOf('name: x\ntasks: { a: 5, b: { run: x, needs: a } }')).toEqual(['bad-value']);
    expect(codesOf('name: x\ntasks: { "a b": { run: x }, b: { run: x, needs: "a b" } }')).toEqual(['bad-id']);
  });

  test('in an entry of needs do not hide those of the other entries, nor a circle through them', () => {
    const text = `name: x
defaults: { run: x }
tasks:
  a: { needs: [b, 5, zz, { task: a, whne: done }, { when: done }] }
  b: { needs: [{ task: a, when: soon }, ""] }
  unreadable-need: {}
`;
    expect(problemsOf(text).map(({ code, line, column }) => [code, line, column])).toEqual([
      ['cycle', 4, 15],
      ['bad-value', 4, 19],
      ['unknown-need', 4, 22],
      ['self-need', 4, 26],
      ['unknown-key', 4, 37],
      ['missing-key', 4, 51],
      ['bad-value', 5, 33],
      ['unknown-need', 5, 41],
    ]);
  });

  test('in needs hide no contradiction of stages or phases, and no input that nobody makes', () => {
    const stages = 'stages: [[d, a], [b, c]]\ndefaults: { run: x }';
    expect(
      codesOf(`name: x\n${stages}\ntasks: { a: { needs: [c, zz] }, b: {}, c: {}, d: { inputs: [b/x.txt] } }`).sort(),
    ).toEqual(['stage-order', 'undeclared-input', 'unknown-need']);
    const phases = 'barrier: phase\ndefaults: { run: x }';
    const tasks = 'a: { phase: analysis, needs: [b, zz] }, b: { phase: planning }';
    expect(codesOf(`name: x\n${phases}\ntasks: { ${tasks} }`).sort()).toEqual(['phase-order', 'unknown-need']);
    const circle = 'c: { needs: d, phase: planning }, d: { needs: c, phase: analysis }';
    expect(codesOf(`name: x\n${phases}\ntasks: { ${tasks.replace(', zz', '')}, ${circle} }`).sort()).toEqual([
      'cycle',
      'phase-order',
    ]);
  });

  test('in needs are not told again as what only follows from them', () => {
    const made = 'build: { outputs: [a.txt] }, use: { needs: bulid, inputs: [build/a.txt] }';
    expect(codesOf(`name: x\nbarrier: none\ndefaults: { run: x }\ntasks: { ${made} }`)).toEqual(['unknown-need']);
    expect(
      codesOf('name: x\nstages: [[a], [b]]\ndefaults: { run: x }\ntasks: { a: { needs: b }, b: { needs: a } }'),
    ).toEqual(['cycle']);
    expect(codesOf('name: x\napprove-before: [2]\ndefaults: { run: x }\ntasks: { a: {}, b: { needs: aa } }')).toEqual([
      'unknown-need',
    ]);
  });

  test('in the defaults do not make every task lack an agent', () => {
    expect(codesOf('name: x\ndefaults: { agent: 5 }\ntasks: { a: {}, b: {} }')).toEqual(['bad-value']);
  });

  test.each([
    ['', 'not-a-plan'],
    ['- a\n- b', 'not-a-plan'],
    ['name: x', 'missing-key'],
    ['name: x\ntasks: {}', 'no-tasks'],
    ['name: x\ntasks: { a: { run: x }', 'syntax'],
    ['name: x\ntasks: { a: { run: x } }\n---\nname: y\n', 'many-documents'],
    ['name: x\nname: y\ntasks: { a: { run: x } }', 'duplicate-key'],
    ['name: x\ntasks:\n  a: { run: x }\n  a: { run: y }', 'duplicate-task'],
    ['name: x\ntasks: { __proto__: { run: x } }', 'reserved-name'],
    ['name: x\ntasks: { constructor: { run: x } }', 'reserved-name'],
    ['name: x\ntasks: { a: { run: x, with: { __proto__: { polluted: 1 } } } }', 'reserved-name'],
    ['name: x\ntasks: { a/../b: { run: x } }', 'bad-id'],
    ['name: x\ntasks: { a/: { run: x } }', 'bad-id'],
    ['name: x\ntasks: { a: { run: x }, a/b: { run: x } }', 'nested-id'],
    ['name: x\ntasks: { a: {} }', 'no-agent'],
    ['name: x\ntasks: { a: { run: x, agent: fake } }', 'run-and-agent'],
    ['name: x\ntasks: { a: { run: x, needs: a } }', 'self-need'],
    ['name: x\ntasks: { a: { run: x }, b: { run: x, needs: [a, { task: a, when: failed }] } }', 'duplicate-need'],
    ['name: x\nlimits: { gpu: 1 }\ntasks: { a: { run: x, takes: { gpu: 2 } } }', 'takes-too-much'],
    ['name: x\ntasks: { a: { run: x, takes: [agents] } }', 'unknown-resource'],
    ['name: x\ntasks: { a: { run: x, outputs: [../a] } }', 'path-outside'],
    ['name: x\ntasks: { a: { run: x, outputs: ["a\\\\b"] } }', 'bad-path'],
    ['name: x\ntasks: { a: { run: x, matrix: { k: [] } } }', 'empty-matrix'],
    ['name: x\ntasks: { a: { run: [x, "${{ matrix.j }}"], matrix: { k: [1] } } }', 'unknown-matrix-key'],
    ['name: x\ntasks: { a: { run: "x ${{ matrix.k }}", matrix: { k: [1] } } }', 'matrix-in-shell'],
    ['name: x\ntasks: { a: { run: "x\\0y" } }', 'bad-value'],
  ])('%j is refused as %s', (text, code) => {
    const parsed = parsePlan({ kind: 'file', file: 'plan.yaml', text }, OPTIONS);
    expect(parsed.ok).toBe(false);
    expect(
      problemsOf(text)
        .filter(({ severity }) => severity === 'error')
        .map((problem) => problem.code),
    ).toEqual([code]);
  });

  test.each([
    'LD_PRELOAD',
    'NODE_OPTIONS',
    'BASH_ENV',
    'ENV',
    'PATH',
    'IFS',
    'GIT_SSH',
    'PYTHONPATH',
    'BASH_FUNC_X',
    'PLANQ_RUN_ID',
    'REDIS_URL',
  ])('the variable %s is refused wherever it is set', (name) => {
    const text = `name: x\nenv: { ${name}: 1 }\ndefaults: { env: { ${name}: 1 } }\ntasks: { a: { run: x, env: { ${name}: 1 } } }`;
    expect(codesOf(text)).toEqual(['refused-env', 'refused-env', 'refused-env']);
  });

  test('name the word of this format for a word of another', () => {
    const hint = (key: string) => only(problemsOf(`name: x\ntasks: { a: { run: x, ${key}: [] } }`), 'unknown-key').hint;
    expect([hint('depends_on'), hint('dependencies'), hint('timeout-minutes')]).toEqual([
      'did you mean "needs"?',
      'did you mean "needs"?',
      'did you mean "timeout"?',
    ]);
    expect(only(problemsOf('name: x\njobs: {}\ntasks: { a: { run: x } }'), 'unknown-key').hint).toBe(
      'did you mean "tasks"?',
    );
  });

  test('in a list of needs point at the entry that is wrong', () => {
    const problem = only(
      problemsOf(
        'name: x\ndefaults: { run: x }\ntasks:\n  a: {}\n  b:\n    needs:\n      - a\n      - { task: a, wen: done }\n',
      ),
      'unknown-key',
    );
    expect(problem).toMatchObject({ line: 8, column: 20, path: 'tasks.b.needs[1].wen', hint: 'did you mean "when"?' });
  });

  test('of an unknown agent are told once, however many tasks have it', () => {
    expect(
      only(problemsOf('name: x\ndefaults: { agent: faek }\ntasks: { a: {}, b: {}, c: {} }'), 'unknown-agent').message,
    ).toBe('agent "faek" of task "a" and 2 more does not exist');
    expect(codesOf('name: x\ntasks: { a: { run: x } }', { agent: 'clod' })).toEqual(['unknown-agent']);
  });

  test('cannot be made so many that the answer takes for ever', () => {
    const tasks = Array.from(
      { length: 5000 },
      (_, index) => `  task-number-${index}: { run: x, needs: tsak-number-${index} }`,
    );
    const problems = problemsOf(`name: x\ntasks:\n${tasks.join('\n')}`);
    expect(problems).toHaveLength(5000);
    expect(problems.filter(({ hint }) => hint !== undefined)).toHaveLength(25);
  });
});

describe('documents made to harm', () => {
  test('larger than 4 MB are refused unread', () => {
    expect(codesOf(`name: ${'x'.repeat(4 * 1_048_576)}`)).toEqual(['plan-too-large']);
  });

  test('with aliases of aliases are refused', () => {
    const lines = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdef'[index]}`)}]`),
    ];
    expect(codesOf(lines.join('\n'))).toEqual(['too-many-aliases']);
  });

  test.each(['[', '{a: ', '- '])('nested thousands deep with %j are refused', (open) => {
    const problems = problemsOf(`name: x\ntasks: ${open.repeat(20_000)}`);
    expect(problems).toMatchObject([{ code: 'too-deep', file: 'plan.yaml', line: 2 }]);
  });

  test('do not change what objects are', () => {
    problemsOf(
      'name: x\n__proto__: { polluted: true }\ntasks: { a: { run: x, env: { __proto__: { polluted: true } } } }',
    );
    expect('polluted' in {}).toBe(false);
  });

  test('with a few matrices of thousands of variants are refused early', () => {
    const values = Array.from({ length: 16 }, (_, index) => index);
    const tasks = Array.from(
      { length: 200 },
      (_, index) => `  t${index}: { run: x, matrix: { a: [${values}], b: [${values}] } }`,
    );
    expect(codesOf(`name: x\ntasks:\n${tasks.join('\n')}`)).toEqual(['too-many-tasks']);
    expect(codesOf(`name: x\ntasks: { a: { run: x, matrix: { a: [${values}], b: [${values}], c: [1, 2] } } }`)).toEqual(
      ['matrix-too-large'],
    );
  });
});

describe('warnings', () => {
  const BIG =
    'name: x\ntasks: { a: { run: x, estimate: { minutes: 31, tokens: 20001 }, timeout: 10m, files: [a, b, c, d] } }';

  test('tell of tasks that are too big and of timeouts that are too short', () => {
    const parsed = parsePlan({ kind: 'file', file: 'plan.yaml', text: BIG }, OPTIONS);
    expect(parsed.ok && parsed.value.problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['long-task', 'warning'],
      ['many-tokens', 'warning'],
      ['timeout-below-estimate', 'warning'],
      ['many-files', 'warning'],
    ]);
  });

  test('refuse the plan when asked to be strict', () => {
    expect(parsePlan({ kind: 'file', file: 'plan.yaml', text: BIG }, { ...OPTIONS, strict: true }).ok).toBe(false);
  });

  test('leave tasks alone that are exactly as big as allowed', () => {
    expect(
      codesOf(
        'name: x\ntasks: { a: { run: x, estimate: { minutes: 30, tokens: 20000 }, timeout: 30m, files: [a, b, c] } }',
      ),
    ).toEqual([]);
  });

  test('compare the estimate with the timeout of the phase when the task has none', () => {
    expect(
      only(
        problemsOf('name: x\ntasks: { a: { run: x, phase: validation, estimate: 4-5 hours } }'),
        'timeout-below-estimate',
      ).message,
    ).toContain('phase "validation"');
  });

  test('tell of limits that limit nothing', () => {
    const problems = problemsOf(
      'name: x\nlimits: { agent: 3, phases: { anlysis: 1 } }\ntasks: { a: { run: x, phase: analysis } }',
    );
    expect(problems.map(({ code, hint }) => [code, hint])).toEqual([
      ['unused-limit', 'did you mean "agents"?'],
      ['unused-limit', 'did you mean "analysis"?'],
    ]);
  });

  test('tell that the configuration comes before the plan', () => {
    const problems = problemsOf('name: x\nlimits: { gpu: 9 }\ntasks: { a: { run: x, takes: { gpu: 2 } } }', {
      resources: { gpu: 1 },
    });
    expect(problems.map(({ code }) => code)).toEqual(['shadowed-limit', 'takes-too-much']);
  });
});

describe('stages', () => {
  const tasks = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => `  t${index}: { run: x${index === 0 ? '' : `, needs: t${index - 1}`} }`,
    ).join('\n');

  test('are at most ten when they wait for each other', () => {
    expect(codesOf(`name: x\ntasks:\n${tasks(10)}`)).toEqual([]);
    expect(codesOf(`name: x\ntasks:\n${tasks(11)}`)).toEqual(['too-many-stages']);
  });

  test('that are too many are told where the eleventh begins', () => {
    expect(only(problemsOf(`name: x\ntasks:\n${tasks(12)}`), 'too-many-stages')).toMatchObject({
      line: 13,
      column: 3,
      path: 'tasks.t10',
    });
    const listed = Array.from({ length: 11 }, (_, index) => `  - [t${index}]`).join('\n');
    expect(only(problemsOf(`name: x\nstages:\n${listed}\ntasks:\n${tasks(11)}`), 'too-many-stages')).toMatchObject({
      line: 13,
      path: 'stages[10][0]',
    });
  });

  test('may be any number when they are only levels', () => {
    expect(codesOf(`name: x\nbarrier: none\ntasks:\n${tasks(11)}`)).toEqual([]);
    expect(codesOf(`name: x\ntasks:\n${tasks(11)}`, { barrier: 'phase' })).toEqual([]);
  });

  test('can be listed, with or without names', () => {
    const plan = planOf(
      'name: x\nstages: [[a], { name: second, tasks: [b, c] }]\ndefaults: { run: x }\ntasks: { c: { needs: a }, b: {}, a: {} }',
    );
    expect(plan.stages).toEqual([['a'], ['b', 'c']]);
  });

  test('must hold every task once, and nothing that needs its own stage or a later one', () => {
    const problems = problemsOf(
      'name: x\nstages: [[a, b], [a, zz]]\ndefaults: { run: x }\ntasks: { a: {}, b: { needs: a }, c: {} }',
    );
    expect(problems.map(({ code }) => code)).toEqual([
      'stage-missing-task',
      'stage-duplicate-task',
      'unknown-stage-task',
    ]);
    expect(codesOf('name: x\nstages: [[a, b]]\ndefaults: { run: x }\ntasks: { a: {}, b: { needs: a } }')).toEqual([
      'stage-order',
    ]);
    expect(codesOf('name: x\nstages: [[b], [a]]\ndefaults: { run: x }\ntasks: { a: {}, b: { needs: a } }')).toEqual([
      'stage-order',
    ]);
  });
});

describe('inputs', () => {
  const plan = (needs: string) =>
    `name: x\nbarrier: none\ndefaults: { run: x }\ntasks:\n  a: { outputs: [one.txt, many/, "log-*.txt"] }\n  b: { ${needs}inputs: [a/one.txt, a/many/deep.txt, a/log-1.txt, "a/*.t?t", a/two.txt, src/main.ts] }\n`;

  test('that name what a task does not declare are warned of; paths of the project are not', () => {
    expect(only(problemsOf(plan('needs: a, ')), 'undeclared-input')).toMatchObject({
      severity: 'warning',
      line: 6,
      message: 'task "b" has the input "a/two.txt", which no task declares as an output',
    });
  });

  test('of a task that need not have ended are warned of', () => {
    expect(codesOf(plan('')).filter((code) => code === 'input-not-upstream')).toHaveLength(4);
    expect(codesOf(plan('needs: a, '))).not.toContain('input-not-upstream');
  });

  test('may come from any earlier stage or phase, when those wait for each other', () => {
    const text = 'name: x\ndefaults: { run: x }\ntasks: { a: { outputs: [f] }, b: {}, c: { needs: b, inputs: [a/f] } }';
    expect(codesOf(text)).toEqual([]);
    expect(codesOf(text, { barrier: 'none' })).toEqual(['input-not-upstream']);
    expect(codesOf(text.replace('a: {', 'a: { phase: planning,'), { barrier: 'phase' })).toEqual([]);
  });

  test('are looked for where a task declares them before anywhere else', () => {
    const [, b] = planOf(plan('needs: a, ')).tasks;
    expect(b!.inputs[0]!.candidates).toEqual([
      { base: 'workspace', path: 'outputs/a/one.txt' },
      { base: 'project', path: 'a/one.txt' },
    ]);
    expect(b!.inputs[5]!.candidates).toEqual([
      { base: 'project', path: 'src/main.ts' },
      { base: 'workspace', path: 'outputs/src/main.ts' },
    ]);
  });
});

test('a plan of 10,000 tasks in one chain is read, and one more is too many', () => {
  const text = (count: number) =>
    `name: x\nbarrier: none\ndefaults: { run: x }\ntasks:\n${Array.from({ length: count }, (_, index) => `  t${index}: { needs: [${index === 0 ? '' : `t${index - 1}`}] }`).join('\n')}`;
  expect(planOf(text(10_000)).tasks).toHaveLength(10_000);
  expect(codesOf(text(10_001))).toEqual(['too-many-tasks']);
});
