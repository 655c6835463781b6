import { describe, expect, it } from 'vitest';
import { colored, type Line, plain, renderLine, statePart } from '../../../src/cli/terminal/style.ts';
import { toTable } from '../../../src/cli/terminal/table.ts';
import { columnsOf } from '../../../src/cli/terminal/text.ts';

const LINE: Line = ['ab', { text: 'cdef', color: 'red' }, 'gh'];

describe('a line', () => {
  it('has no escape codes where colours are off', () => {
    expect(renderLine(LINE, plain)).toBe('abcdefgh');
  });

  it('closes each colour that it opens', () => {
    expect(renderLine(LINE, colored)).toBe('ab\u001b[31mcdef\u001b[0mgh');
  });

  it('is cut to the columns of its text, colours aside', () => {
    expect(renderLine(LINE, plain, 5)).toBe('abcd…');
    expect(renderLine(LINE, colored, 5)).toBe('ab\u001b[31mcd…\u001b[0m');
    expect(renderLine(LINE, plain, 2)).toBe('ab');
  });
});

describe('a table', () => {
  it('is aligned by what is seen, numbers to the right', () => {
    const lines = toTable(
      ['task', ' n', 'why'],
      [
        ['a', '1', ''],
        ['日本', '22', statePart('failed')],
      ],
    ).map((line) => renderLine(line, plain));
    expect(lines).toEqual(['task   n  why', 'a      1', '日本  22  failed']);
    expect(columnsOf(lines[2]!)).toBe(columnsOf('xxxx  22  failed'));
  });
});
