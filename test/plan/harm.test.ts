/**
 * Documents that are made to harm whoever reads them: too large, too deep, too many, too slow, or with names that change
 * what objects are. Each is refused in seconds at most, by a problem that names the file, and nothing else happens.
 */
import { describe, expect, test } from 'vitest';
import { type FolderFile, readTaskFolder } from '../../src/plan/formats/markdown-folder.ts';
import { parsePlan } from '../../src/plan/parse.ts';

const MB = 1024 * 1024;
const OPTIONS = { knownAgents: new Set(['command', 'fake']), resources: {}, agent: 'fake' };

/** Of the processor, since a machine may be busy. A text that is not stopped early takes many times as long. */
const SOON_MS = 6000;
const LONG_MS = 120_000;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function parse(text: string, file = 'plan.yaml') {
  const started = cpuMs();
  const parsed = parsePlan({ kind: 'file', file, text }, OPTIONS);
  return { parsed, ms: cpuMs() - started };
}

function codes(text: string, file?: string): string[] {
  const { parsed } = parse(text, file);
  const problems = parsed.ok ? parsed.value.problems : parsed.error;
  return [...new Set(problems.filter(({ severity }) => severity === 'error').map(({ code }) => code))];
}

const repeat = (part: string, bytes: number) => part.repeat(Math.floor(bytes / part.length));
const numbered = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n');

describe('a text of nearly 4 MB', () => {
  test.each([
    ['open brackets', repeat('[', 4 * MB), 'too-deep'],
    ['open braces', repeat('{a: ', 4 * MB), 'too-deep'],
    ['lists in lists', repeat('- ', 4 * MB), 'too-deep'],
    ['keys of keys', repeat('? ', 4 * MB), 'too-deep'],
    ['colons', repeat(': ', 4 * MB), 'too-deep'],
    ['commas', `[${repeat(',', 4 * MB - 2)}]`, 'syntax'],
    ['documents', repeat('---\n', 4 * MB), 'many-documents'],
    ['comments', repeat('#\n', 4 * MB), 'too-many-values'],
    ['empty lists', `[${repeat('[],', 4 * MB - 2)}]`, 'too-many-values'],
    ['keys', numbered(360_000, (n) => `k${n}: 1`), 'too-many-values'],
    ['anchors', numbered(250_000, (n) => `- &a${n} 1`), 'too-many-values'],
    ['quotes', `a: "${repeat('\\"x', 4 * MB - 4)}`, 'syntax'],
    ['spaces', repeat(' ', 4 * MB), 'not-a-plan'],
  ])(
    'of %s is refused soon',
    (_, text, code) => {
      const { parsed, ms } = parse(text);
      expect(parsed.ok).toBe(false);
      expect(parsed.ok ? [] : parsed.error.map((problem) => problem.code)).toContain(code);
      expect(parsed.ok ? [] : parsed.error[0]).toMatchObject({ file: 'plan.yaml', line: expect.any(Number) });
      expect(ms).toBeLessThan(SOON_MS);
    },
    LONG_MS,
  );

  test('and more is refused unread: 10 MB, 10^6 keys', () => {
    expect(codes('x'.repeat(10 * MB))).toEqual(['plan-too-large']);
    expect(codes(numbered(1_000_000, (n) => `key${n}: 1`))).toEqual(['plan-too-large']);
  });

  test(
    'that is the largest plan allowed is read: 10,000 tasks with ten fields each',
    () => {
      const tasks = numbered(
        10_000,
        (n) => `  task-${n}:
    title: Do the thing number ${n}
    master: development
    phase: implementation
    needs: [task-${n === 0 ? 1 : 0}, task-${n < 2 ? 2 : 1}]
    prompt: Look at module ${n}, find what is slow in it, write down why, with numbers
    outputs: [report-${n}.md, numbers.json]
    run: npm run build -- --target ${n} && npm test
    estimate: { minutes: 15, tokens: 5000 }
    timeout: 30m
    priority: high`,
      );
      const text = `name: large\ntasks:\n${tasks.replace('needs: [task-1, task-2]', 'needs: []').replace('[task-0, task-2]', '[task-0]')}`;
      expect(text.length).toBeGreaterThan(3.5 * MB);
      const { parsed } = parse(text);
      expect(parsed.ok ? parsed.value.plan.tasks.length : parsed.error.slice(0, 3)).toBe(10_000);
    },
    LONG_MS,
  );
});

describe('depth', () => {
  const nest = (depth: number, inner = '1') => `${'{"a":'.repeat(depth)}${inner}${'}'.repeat(depth)}`;
  const withOptions = (value: string) => `{"name":"x","tasks":{"a":{"agent":"fake","with":{"values":${value}}}}}`;

  test('that a person could mean is read, more is refused with its place', () => {
    expect(codes(withOptions(nest(50)))).toEqual([]);
    expect(codes(withOptions(nest(99)))).toEqual(['too-deep']);
    const { parsed } = parse(withOptions(nest(5000)), 'plan.json');
    expect(parsed.ok ? [] : parsed.error).toMatchObject([{ code: 'too-deep', file: 'plan.json', line: 1 }]);
  });

  test('by indentation is refused with the path to it', () => {
    const lines = Array.from({ length: 1000 }, (_, n) => `${' '.repeat(n + 8)}k:`).join('\n');
    const { parsed } = parse(`name: x\ntasks:\n  a:\n    agent: fake\n    with:\n${lines} 1\n`);
    expect(parsed.ok ? [] : parsed.error).toMatchObject([{ code: 'too-deep', path: 'tasks.a.with.k.k' }]);
  });

  test('by aliases of what is deep itself is refused', () => {
    const levels = numbered(
      4,
      (n) => `l${n}: &l${n} ${'['.repeat(50)}${n === 0 ? '1' : `*l${n - 1}`}${']'.repeat(50)}`,
    );
    const { parsed } = parse(`name: x\n${levels}\ntasks: { a: { agent: fake, with: { v: *l3 } } }`);
    expect(parsed.ok ? [] : parsed.error.map(({ code }) => code)).toEqual(['too-deep']);
  });

  test('of an orchestration file is refused the same way', () => {
    expect(codes(`{"subtasks":${'['.repeat(20_000)}`, 'o.json')).toEqual(['too-deep']);
    expect(codes(`{"subtasks":[{"subtask_id":"a","x":${nest(200)}}]}`, 'o.json')).toEqual(['too-deep']);
  });
});

describe('aliases', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((key, at) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[at]}`)}]`),
  ].join('\n');

  test('of aliases are refused in every document', () => {
    expect(codes(bomb)).toEqual(['too-many-aliases']);
    expect(codes(`subtasks: []\n${bomb}`)).toEqual(['too-many-aliases']);
  });

  test('in front matter make its reader fall back to lines, which has no aliases', () => {
    const read = readTaskFolder('tasks', [{ path: '01-a/01-b.md', text: `---\ntitle: t\n${bomb}\n---\nbody` }]);
    expect(read.ok && read.value.tasks[0]!.task).toMatchObject({ title: 't', prompt: 'body' });
  });
});

describe('Markdown task files', () => {
  const folder = (text: string): readonly FolderFile[] => [{ path: '01-a/01-b.md', text }];
  const time = (files: readonly FolderFile[]) => {
    const started = cpuMs();
    const read = readTaskFolder('tasks', files);
    return { read, ms: cpuMs() - started };
  };

  test.each([
    ['quotes that do not end', `outputs: [${repeat('\\"', 60_000)}]`],
    ['quotes of both kinds', `outputs: [${repeat(`"'`, 60_000)}]`],
    ['spaces before a word', `title: a${' '.repeat(60_000)}b`],
    ['spaces and hashes', `title: a${repeat(' #', 60_000)}`],
    ['brackets', repeat('[', 60_000)],
    ['colons', repeat('a :', 60_000)],
    ['dashes', repeat('- ', 60_000)],
    ['keys', numbered(6000, (n) => `key${n}: 1`)],
    ['an estimate', `estimated_duration: "${'1'.repeat(30_000)}${' '.repeat(30_000)}x"`],
    ['a timeout', `timeout: "${'1'.repeat(60_000)}"`],
  ])('with 60 KB of %s are read or refused soon', (_, line) => {
    const { read, ms } = time(folder(`---\n"x" y: z\n${line}\n---\nbody`));
    expect(read.ok).toBe(true);
    expect(ms).toBeLessThan(SOON_MS);
  });

  test('with more front matter than a person writes are refused', () => {
    const parsed = parsePlan(
      { kind: 'folder', folder: 'tasks', files: folder(`---\ntitle: ${'x'.repeat(70_000)}\n---\nbody`) },
      OPTIONS,
    );
    expect(parsed.ok ? [] : parsed.error).toMatchObject([{ code: 'plan-too-large', file: 'tasks/01-a/01-b.md' }]);
  });

  test('are compared with a hostile drawing soon', () => {
    const drawing = `\`\`\`mermaid\n${'('.repeat(200_000)}\n${repeat('(00-a', 200_000)}\n\`\`\``;
    const graph = { path: '00-TASK-GRAPH.md', text: drawing };
    expect(time([...folder('---\ntitle: a\n---\n'), graph]).ms).toBeLessThan(SOON_MS);
  });
});

describe('names that every object has', () => {
  const WORDS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  const places: [string, (word: string) => string][] = [
    ['a key of the plan', (word) => `{"name":"x","${word}":{"polluted":1},"tasks":{"a":{"run":"x"}}}`],
    ['a task id', (word) => `{"name":"x","tasks":{"${word}":{"run":"x"}}}`],
    ['a key of a task', (word) => `{"name":"x","tasks":{"a":{"run":"x","${word}":{"polluted":1}}}}`],
    ['an environment variable', (word) => `{"name":"x","tasks":{"a":{"run":"x","env":{"${word}":"1"}}}}`],
    [
      'a resource',
      (word) => `{"name":"x","limits":{"resources":{"${word}":1}},"tasks":{"a":{"run":"x","takes":{"${word}":1}}}}`,
    ],
    ['a resource in a list', (word) => `{"name":"x","tasks":{"a":{"run":"x","takes":["${word}"]}}}`],
    ['a limit', (word) => `{"name":"x","limits":{"${word}":1},"tasks":{"a":{"run":"x"}}}`],
    ['a phase limit', (word) => `{"name":"x","limits":{"phases":{"${word}":1}},"tasks":{"a":{"run":"x"}}}`],
    ['a master', (word) => `{"name":"x","tasks":{"a":{"run":"x","master":"${word}"}}}`],
    ['a phase', (word) => `{"name":"x","tasks":{"a":{"run":"x","phase":"${word}"}}}`],
    ['an axis of a matrix', (word) => `{"name":"x","tasks":{"a":{"run":"x","matrix":{"${word}":[1]}}}}`],
    ['an include', (word) => `{"name":"x","tasks":{"a":{"run":"x","matrix":{"include":[{"${word}":1}]}}}}`],
    ['an option', (word) => `{"name":"x","tasks":{"a":{"agent":"fake","with":{"${word}":{"polluted":1}}}}}`],
    ['a need', (word) => `{"name":"x","tasks":{"a":{"run":"x","needs":["${word}"]}}}`],
    ['a subtask', (word) => `{"subtasks":[{"subtask_id":"${word}"}]}`],
    ['a key of a subtask', (word) => `{"subtasks":[{"subtask_id":"a","${word}":{"polluted":1}}]}`],
    ['a stage', (word) => `{"subtasks":[{"subtask_id":"a"}],"execution_plan":{"${word}":["a"]}}`],
    ['a specialist', (word) => `{"subtasks":[{"subtask_id":"a","assigned_to":"${word}"}]}`],
  ];

  test.each(places)('are refused with a clear answer as %s, and change no object', (place, make) => {
    for (const word of WORDS) {
      // Written in small letters there, so that it is another word.
      if (place === 'a specialist' && word !== word.toLowerCase()) continue;
      const { parsed } = parse(make(word));
      // "prototype" is a word that no plain object has: harmless, and refused only where nothing of that name is known.
      if (word !== 'prototype') expect(`${word}: ${parsed.ok}`).toBe(`${word}: false`);
      if (!parsed.ok) expect(parsed.error.every(({ message }) => message.length > 10)).toBe(true);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    }
  });

  test('are plain keys of front matter, where keys are looked up in a map', () => {
    const lines = WORDS.map((word) => `${word}: polluted`).join('\n');
    const read = readTaskFolder('tasks', [{ path: '01-a/01-b.md', text: `---\n${lines}\ntitle: t\n---\n` }]);
    expect(read.ok && read.value.tasks[0]!.task.title).toBe('t');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('variables that plans may not set', () => {
  const withEnv = (name: string, planEnv: readonly string[] = []) => {
    const text = `name: x\ntasks: { a: { run: x, env: { ${name}: 1 } } }`;
    const parsed = parsePlan({ kind: 'file', file: 'plan.yaml', text }, { ...OPTIONS, planEnv });
    return parsed.ok ? [] : parsed.error;
  };

  test.each(['GIT_AUTHOR_NAME', 'PYTHONUNBUFFERED', 'LD_PRELOAD', 'NODE_OPTIONS', 'PATH', 'PS4', 'PERL5OPT'])(
    'can be allowed by the configuration: %s',
    (name) => {
      expect(withEnv(name)).toMatchObject([{ code: 'refused-env', hint: expect.stringContaining('planEnv') }]);
      expect(withEnv(name, [name])).toEqual([]);
      expect(withEnv(name, [`${name.slice(0, 2)}*`])).toEqual([]);
      expect(withEnv(name, ['OTHER'])).toHaveLength(1);
    },
  );

  test.each(['PLANQ_RUN_ID', 'PLANQ_ATTEMPT_TOKEN', 'REDIS_URL'])('cannot be allowed when it is ours: %s', (name) => {
    expect(withEnv(name, ['*', name])).toMatchObject([{ code: 'refused-env' }]);
    expect(withEnv(name, ['*', name])[0]!.hint).toBeUndefined();
  });
});
