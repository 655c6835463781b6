import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PROBLEM_CODES } from '../../src/plan/codes.ts';
import { criticalPath } from '../../src/plan/estimate.ts';
import { compileGraph } from '../../src/plan/graph.ts';
import { planJsonSchema } from '../../src/plan/json-schema.ts';
import { planSchema } from '../../src/plan/schema.ts';
import { taskSchema } from '../../src/plan/schema-task.ts';
import { planOf, problemsOf } from './plans.ts';

const fileOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string) => readFileSync(fileOf(path), 'utf8');

describe('schema/plan.json', () => {
  test('says what is checked; else run `npx tsx scripts/generate-schema.ts`', () => {
    expect(read('schema/plan.json')).toBe(planJsonSchema());
  });

  test('describes every key of a plan and of a task', () => {
    for (const shape of [planSchema.shape, taskSchema.shape]) {
      for (const [key, field] of Object.entries(shape))
        expect(`${key}: ${field.description}`).not.toContain('undefined');
    }
  });
});

describe('docs/plans.md', () => {
  const text = read('docs/plans.md');

  test('lists every code of a problem and no other', () => {
    const listed = [...text.matchAll(/^\| `([a-z-]+)` \| (?:error|warning|note)/gm)].map(([, code]) => code);
    expect(listed.sort()).toEqual(Object.keys(PROBLEM_CODES).sort());
  });

  test('explains every key of a plan and of a task', () => {
    for (const key of [...Object.keys(planSchema.shape), ...Object.keys(taskSchema.shape)])
      expect(text).toContain(`\`${key}\``);
  });

  test('has only examples that are plans', () => {
    const examples = [...text.matchAll(/```yaml\n(name:[\s\S]*?)```/g)].map(([, example]) => example!);
    expect(examples.length).toBeGreaterThan(3);
    for (const example of examples) expect(problemsOf(example, { strict: true })).toEqual([]);
  });
});

describe('the examples', () => {
  test.each(readdirSync(fileOf('examples')).filter((name) => name.endsWith('.yaml')))(
    '%s is a plan without a warning',
    (name) => {
      expect(problemsOf(read(`examples/${name}`), { strict: true })).toEqual([]);
    },
  );

  test('have one of six tasks in five stages, 65 to 90 minutes long, two of them side by side', () => {
    const plan = planOf(read('examples/authentication.yaml'));
    const graph = compileGraph(plan);
    expect(graph.stages).toEqual([['design'], ['backend', 'frontend'], ['tests'], ['security-review'], ['docs']]);
    expect(criticalPath(plan, graph)).toMatchObject({ minMinutes: 65, maxMinutes: 90 });
    expect(new Set(plan.tasks.map(({ master }) => master))).toEqual(new Set(['development', 'security', 'inventory']));
  });
});
