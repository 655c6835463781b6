import { describe, expect, it } from 'vitest';
import { formatProblem, type Problem } from '../../src/runtime/problem.ts';

const problem: Problem = {
  code: 'unknown-task',
  severity: 'error',
  message: 'task "build" needs "desing", which is no task',
};

describe('formatProblem', () => {
  it('names the place as editors understand it', () => {
    expect(
      formatProblem({ ...problem, file: 'auth.plan.yaml', line: 12, column: 5, hint: 'did you mean "design"?' }),
    ).toBe(
      'auth.plan.yaml:12:5: error unknown-task: task "build" needs "desing", which is no task (did you mean "design"?)',
    );
  });

  it('leaves out what is not known', () => {
    expect(formatProblem(problem)).toBe('error unknown-task: task "build" needs "desing", which is no task');
    expect(formatProblem({ ...problem, severity: 'note', file: 'a.md' })).toMatch(/^a\.md: note unknown-task: /);
  });
});
