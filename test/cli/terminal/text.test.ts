import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clean, columnsOf, count, cut, fill } from '../../../src/cli/terminal/text.ts';

describe('text for a terminal', () => {
  it.each([
    ['a\u001b[31mred\u001b[0m b', 'ared b'],
    ['clear\u001b[2J\u001b[H', 'clear'],
    ['title\u001b]0;owned\u0007 end', 'title end'],
    ['link \u001b]8;;http://x\u001b\\here\u001b]8;;\u001b\\', 'link here'],
    ['two\nlines\r\nand\ttab', 'two lines and tab'],
    ['bell\u0007 back\b', 'bell back'],
    ['c1 \u009b31m', 'c1 31m'],
    ['right\u202eleft\u2066x\u200b', 'rightleftx'],
    ['open \u001b[31', 'open 31'],
    ['plain ünï 日本', 'plain ünï 日本'],
  ])('loses what a terminal would obey: %j', (text, shown) => {
    expect(clean(text)).toBe(shown);
  });

  it('has no control character left, whatever came in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(clean(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  it.each([
    ['abc', 3],
    ['日本', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['🚀', 2],
    ['한글', 4],
    ['ﬁ', 1],
    ['', 0],
  ])('takes %j as so many columns: %i', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });

  it('is cut with an ellipsis, wide characters never halved', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdef', 5)).toBe('abcd…');
    expect(cut('日本語', 5)).toBe('日本…');
    expect(cut('日本語', 4)).toBe('日…');
    expect(cut('abc', 1)).toBe('…');
    expect(cut('abc', 0)).toBe('');
  });

  it('never gets wider than it may, and is filled up to it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, columns) => {
        expect(columnsOf(cut(clean(text), columns))).toBeLessThanOrEqual(columns);
        expect(columnsOf(fill(clean(text), columns))).toBe(columns);
      }),
    );
  });

  it('counts in words', () => {
    expect([count(0, 'task'), count(1, 'task'), count(2, 'task')]).toEqual(['0 tasks', '1 task', '2 tasks']);
  });
});
