/**
 * Values that try to become commands, in every place where a plan or an agent can put a value, through real processes. A
 * value arrives as it was written, or the plan is refused; what it asks for is never done.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { KNOWN_AGENTS } from '../../src/agents/registry.ts';
import { parsePlan } from '../../src/plan/parse.ts';
import { createTestApp, testPlan } from '../support/app.ts';

/** Each would make the file `canary`, if anything read it as anything but text. */
const HOSTILE = [
  '; touch canary',
  '&& touch canary',
  '| touch canary',
  '|| touch canary',
  '& touch canary &',
  '\ntouch canary\n',
  '\r\ntouch canary',
  '$(touch canary)',
  '`touch canary`',
  '"; touch canary; "',
  "'; touch canary; '",
  '"$(touch canary)"',
  "'$(touch canary)'",
  '${IFS}touch${IFS}canary',
  '> canary',
  '>> canary',
  '< /dev/null > canary',
  '$((touch canary))',
  '<(touch canary)',
  '{touch,canary}',
  '\\"; touch canary #',
  '--checkpoint-action=exec=touch canary',
  '-exec touch canary ;',
  '--output=canary',
  '-o canary',
  '() { :; }; touch canary',
  '%n%s$(touch canary)',
  '${{ env.X }}$(touch canary)',
  '#{`touch canary`}<%= `touch canary` %>{{7*7}}',
  '\u001b]0;x\u0007$(touch canary)\u202e',
  "require('fs').writeFileSync('canary','')",
  '::set-env name=PATH::/tmp\n::progress 100::$(touch canary)',
  'x<<END\ntouch canary\nEND\ny=$(touch canary)',
  'é漢字😀\u2028$(touch canary)',
];

/** What a task sees of its values, as files: the shell line holds no value, and names none unquoted. */
const LOOK = `
  printf %s "$VALUE" > "$PLANQ_OUTPUT_DIR/env"
  cat "$PLANQ_PROMPT" > "$PLANQ_OUTPUT_DIR/prompt"
  cp "$PLANQ_HANDOFF" "$PLANQ_OUTPUT_DIR/handoff"
  { printf 'out<<PLANQ_TEST_END\\n%s\\nPLANQ_TEST_END\\n' "$VALUE"; } >> "$PLANQ_OUTPUT"
`;

/** Writes its words to a file, one a line of JSON: a program that is given values as arguments. */
const ARGV = [
  process.execPath,
  '-e',
  'require("fs").writeFileSync(process.env.PLANQ_OUTPUT_DIR + "/argv", JSON.stringify(process.argv.slice(1)))',
  '--',
];

function tasksFor(value: string, n: number): Record<string, unknown> {
  const words = { title: value, prompt: value, description: value };
  return {
    [`look-${n}`]: {
      ...words,
      run: LOOK,
      env: { VALUE: value },
      check: 'test -n "$VALUE"',
      outputs: ['env', 'handoff'],
    },
    [`argv-${n}`]: { ...words, run: [...ARGV, value] },
    [`after-${n}`]: { run: 'cp "$PLANQ_HANDOFF" "$PLANQ_OUTPUT_DIR/handoff"', needs: `look-${n}` },
    [`call-${n}`]: { agent: 'function', with: { module: './call.mjs', args: { value } } },
  };
}

/** Files of that name; variants of a matrix have folders called so, after their values. */
function findCanaries(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name === 'canary').map(({ parentPath }) => parentPath);
}

describe('hostile values', () => {
  it('arrive as they are in every place, and nothing of them is run', async () => {
    const app = await createTestApp({ overrides: { agents: 4 } });
    writeFileSync(path.join(app.projectDir, 'call.mjs'), 'export default ({ args }) => args.value;\n');
    const matrix = { run: LOOK.replaceAll('$VALUE', '$MATRIX_V'), matrix: { v: HOSTILE }, title: '${{ matrix.v }}' };
    const argvMatrix = { run: [...ARGV, '${{ matrix.v }}'], matrix: { v: HOSTILE } };
    const plan = testPlan({
      name: HOSTILE[7]!,
      description: HOSTILE.join(' '),
      tasks: { ...Object.assign({}, ...HOSTILE.map(tasksFor)), matrix, 'argv-matrix': argvMatrix },
    });
    const { runId } = await app.submit(plan);
    await app.startPool({ concurrency: 4 });
    const view = await app.atRest(runId, 150_000);
    const failures = view.tasks
      .filter(({ state }) => state !== 'completed')
      .map(({ id, reason }) => `${id}: ${reason}`);
    expect(failures).toEqual([]);

    const outputs = path.join(app.projectDir, 'workspace/outputs');
    const read = (name: string) => readFileSync(path.join(outputs, name), 'utf8');
    for (const [n, value] of HOSTILE.entries()) {
      expect(read(`look-${n}/env`)).toBe(value);
      expect(read(`look-${n}/prompt`)).toBe(value);
      expect(JSON.parse(read(`look-${n}/handoff`))).toMatchObject({ task: { title: value, prompt: value } });
      expect(JSON.parse(read(`argv-${n}/argv`))).toEqual([value]);
      const [before] = JSON.parse(read(`after-${n}/handoff`)).context.dependencies_completed;
      // A line's end and its carriage return are one in PLANQ_OUTPUT.
      expect(before).toMatchObject({ title: value, values: { out: value.replaceAll('\r\n', '\n') } });
    }
    const variants = view.tasks.filter(({ id }) => id.startsWith('matrix/')).map(({ id }) => id);
    expect(new Set(variants.map((id) => read(`${id}/env`)))).toEqual(new Set(HOSTILE));
    const argvs = view.tasks.filter(({ id }) => id.startsWith('argv-matrix/')).map(({ id }) => id);
    expect(new Set(argvs.flatMap((id) => JSON.parse(read(`${id}/argv`)) as string[]))).toEqual(new Set(HOSTILE));

    expect(findCanaries(app.projectDir)).toEqual([]);
    expect(existsSync(path.join(process.cwd(), 'canary'))).toBe(false);
  }, 180_000);

  /** Places whose values become names of files, queues or variables: each value is refused there, or is only a name. */
  const NAMES: [string, (value: string) => Record<string, unknown>][] = [
    ['a task id', (value) => ({ tasks: { [value]: { run: 'true' } } })],
    ['a master', (value) => ({ tasks: { a: { run: 'true', master: value } } })],
    ['a phase', (value) => ({ tasks: { a: { run: 'true', phase: value } } })],
    ['a need', (value) => ({ tasks: { a: { run: 'true', needs: [value] } } })],
    ['an agent', (value) => ({ tasks: { a: { agent: value } } })],
    ['a name of a variable', (value) => ({ tasks: { a: { run: 'true', env: { [value]: 'x' } } } })],
    ['an axis of a matrix', (value) => ({ tasks: { a: { run: 'true', matrix: { [value]: [1] } } } })],
    ['a resource', (value) => ({ tasks: { a: { run: 'true', takes: [value] } } })],
    ['a timeout', (value) => ({ tasks: { a: { run: 'true', timeout: value } } })],
    ['memory', (value) => ({ tasks: { a: { run: 'true', resources: { memory: value } } } })],
    ['a barrier', (value) => ({ barrier: value, tasks: { a: { run: 'true' } } })],
  ];

  it.each(NAMES)('are refused as %s', (_, make) => {
    for (const value of HOSTILE) {
      const text = JSON.stringify({ name: 'x', ...make(value) });
      const parsed = parsePlan({ kind: 'file', file: 'plan.json', text }, { knownAgents: KNOWN_AGENTS, resources: {} });
      expect(`${value}: ${parsed.ok}`).toBe(`${value}: false`);
    }
  });

  it('are refused inside shell lines, where a value would become a program', () => {
    for (const field of ['run', 'check']) {
      const tasks = { a: { run: 'true', [field]: 'echo ${{ matrix.v }}', matrix: { v: HOSTILE } } };
      expect(() => testPlan({ tasks })).toThrow('is a shell line and cannot hold');
    }
  });

  it('are only names as outputs and inputs: looked for as they are, and refused where they lead elsewhere', async () => {
    const app = await createTestApp();
    const tasks = Object.fromEntries(
      HOSTILE.filter((value) => !/[\u0000-\u001f\\]/.test(value)).map((value, n) => [
        `t${n}`,
        { agent: 'noop', outputs: [`${value}.md`], inputs: [`${value}.txt`], retries: 0 },
      ]),
    );
    const { runId } = await app.submit(testPlan({ tasks }), { inputs: 'warn' });
    await app.startPool();
    const view = await app.atRest(runId);
    for (const { state, reason } of view.tasks)
      expect([state, reason]).toEqual(['failed', expect.stringContaining('issing')]);
    expect(findCanaries(app.projectDir)).toEqual([]);
  });
});
