import { expect, test } from 'vitest';
import { matchGlob } from '../../src/plan/glob.ts';

test.each([
  ['*.txt', 'a.txt', true],
  ['*.txt', 'b/a.txt', false],
  ['**/*.txt', 'a.txt', true],
  ['**/*.txt', 'a/b/c.txt', true],
  ['src/**', 'src/a/b', true],
  ['src/**/x', 'src/x', true],
  ['src/**/x', 'source/x', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['test/*/r.json', 'test/20-linux/r.json', true],
  ['app/[id]/p', 'app/[id]/p', true],
  ['app/[id]/p', 'app/i/p', false],
  ['a.c', 'abc', false],
])('%s and %s: %s', (pattern, path, matches) => {
  expect(matchGlob(pattern, path)).toBe(matches);
});

test('a pattern made to be slow is not', () => {
  expect(matchGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(1000))).toBe(false);
  expect(matchGlob(`${'**/'.repeat(200)}b`, 'a/'.repeat(200))).toBe(false);
});
