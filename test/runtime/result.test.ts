import { expect, it } from 'vitest';
import { err, ok, unreachable } from '../../src/runtime/result.ts';

it('a result is either a value or what went wrong', () => {
  expect(ok(1)).toEqual({ ok: true, value: 1 });
  expect(err(['no'])).toEqual({ ok: false, error: ['no'] });
});

it('a case that the types ruled out is named when it comes', () => {
  expect(() => unreachable({ kind: 'new' } as never)).toThrow('unreachable: {"kind":"new"}');
});
