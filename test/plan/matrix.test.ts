import { describe, expect, test } from 'vitest';
import { expandMatrix } from '../../src/plan/matrix.ts';
import type { RawMatrix } from '../../src/plan/schema-task.ts';
import { planOf } from './plans.ts';

const combinations = (matrix: unknown) => {
  const expanded = expandMatrix(matrix as RawMatrix);
  return expanded.ok ? expanded.value : expanded.error;
};

describe('a matrix', () => {
  test('is every combination, in the order of the document', () => {
    expect(combinations({ os: ['linux', 'macos'], node: [20, 22] })).toEqual([
      { os: 'linux', node: '20' },
      { os: 'linux', node: '22' },
      { os: 'macos', node: '20' },
      { os: 'macos', node: '22' },
    ]);
  });

  test('leaves out what an exclude matches in part', () => {
    expect(combinations({ os: ['linux', 'macos'], node: [20, 22], exclude: [{ os: 'macos' }] })).toEqual([
      { os: 'linux', node: '20' },
      { os: 'linux', node: '22' },
    ]);
    expect(combinations({ os: ['linux'], exclude: [{ os: 'linux' }] })).toBe('empty-matrix');
  });

  // The example of GitHub's documentation on expanding matrix configurations.
  test('is extended by includes as GitHub does', () => {
    expect(
      combinations({
        fruit: ['apple', 'pear'],
        animal: ['cat', 'dog'],
        include: [
          { color: 'green' },
          { color: 'pink', animal: 'cat' },
          { fruit: 'apple', shape: 'circle' },
          { fruit: 'banana' },
          { fruit: 'banana', animal: 'cat' },
        ],
      }),
    ).toEqual([
      { fruit: 'apple', animal: 'cat', color: 'pink', shape: 'circle' },
      { fruit: 'apple', animal: 'dog', color: 'green', shape: 'circle' },
      { fruit: 'pear', animal: 'cat', color: 'pink' },
      { fruit: 'pear', animal: 'dog', color: 'green' },
      { fruit: 'banana' },
      { fruit: 'banana', animal: 'cat' },
    ]);
  });

  test('makes tasks whose values are in their texts, options and environment', () => {
    const [task] = planOf(`name: x
tasks:
  test:
    title: On \${{ matrix.node-version }}
    run: [node, "--v=\${{matrix.node-version}}"]
    env: { V: "\${{ matrix.node-version }}" }
    outputs: ["\${{ matrix.node-version }}.json"]
    matrix: { node-version: [20] }
`).tasks;
    expect(task).toMatchObject({
      id: 'test/20',
      title: 'On 20',
      run: ['node', '--v=20'],
      env: { V: '20', MATRIX_NODE_VERSION: '20' },
      matrix: { 'node-version': '20' },
    });
    expect(task!.outputs[0]!.text).toBe('20.json');
  });

  test('is needed as a whole or by one variant', () => {
    const plan = planOf(
      'name: x\ndefaults: { run: x }\ntasks: { t: { matrix: { a: [1, 2] } }, all: { needs: t }, one: { needs: { task: t/2, when: done } } }\nstages: [[t], [all, one]]',
    );
    expect(plan.tasks.map(({ id, needs }) => [id, needs.map((need) => `${need.task} ${need.when}`)])).toEqual([
      ['t/1', []],
      ['t/2', []],
      ['all', ['t/1 success', 't/2 success']],
      ['one', ['t/2 done']],
    ]);
    expect(plan.stages).toEqual([
      ['t/1', 't/2'],
      ['all', 'one'],
    ]);
  });

  test('gives variants different ids, even when their values look the same in an id', () => {
    expect(
      planOf('name: x\ntasks: { t: { run: x, matrix: { a: ["a b", "a/b", "/"] } } }').tasks.map(({ id }) => id),
    ).toEqual(['t/a-b', 't/a-b-2', 't/variant']);
  });
});
