import { describe, expect, it } from 'vitest';
import { bounded, ERRORS, type ErrorCode, errorMessage, PlanqError } from '../../src/runtime/errors.ts';

describe('a planq error', () => {
  it('carries its sentence, code, hint, facts and cause', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new PlanqError('redis_unreachable', 'cannot reach redis: connection refused', {
      hint: 'is it running?',
      facts: { port: 6379 },
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'PlanqError',
      code: 'redis_unreachable',
      message: 'cannot reach redis: connection refused',
      hint: 'is it running?',
      facts: { port: 6379 },
      cause,
    });
  });

  it('does without what is not known', () => {
    const error = new PlanqError('internal', 'cannot go on');
    expect(error.hint).toBeUndefined();
    expect(error.facts).toEqual({});
    expect('cause' in error).toBe(false);
  });

  it.each(Object.keys(ERRORS) as ErrorCode[])('has the exit code and the verdict of the table: %s', (code) => {
    const error = new PlanqError(code, 'cannot');
    expect(error.exitCode).toBe(ERRORS[code].exit);
    expect(error.retryable).toBe(ERRORS[code].retryable);
  });
});

describe('the table', () => {
  it('promises these codes and exit codes: they are never changed, only added to', () => {
    expect(Object.fromEntries(Object.entries(ERRORS).map(([code, { exit }]) => [code, exit]))).toMatchObject({
      usage: 2,
      config_invalid: 2,
      plan_invalid: 3,
      plan_not_trusted: 2,
      plan_not_found: 5,
      run_not_found: 5,
      task_not_found: 5,
      redis_missing: 6,
      redis_unreachable: 6,
      redis_unsafe: 6,
      interrupted: 130,
      internal: 1,
    });
  });
});

describe('errorMessage', () => {
  it('finds the words in whatever was thrown', () => {
    expect(errorMessage(new TypeError('no'))).toBe('no');
    expect(errorMessage('no')).toBe('no');
    expect(errorMessage(undefined)).toBe('undefined');
    expect(errorMessage(null)).toBe('null');
  });
});

describe('bounded', () => {
  it('leaves a short text alone and marks a cut one, never longer than asked', () => {
    expect(bounded('abc', 3)).toBe('abc');
    expect(bounded('abcd', 3)).toBe('ab…');
    expect(bounded('', 3)).toBe('');
  });
});
