import { describe, expect, it } from 'vitest';
import { LineSplitter, MAX_LINE_BYTES, toPlainLine } from '../../src/agents/lines.ts';

function split(...chunks: (string | Buffer)[]): string[] {
  const splitter = new LineSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.finish()];
}

describe('bytes', () => {
  it('become lines wherever the chunks are cut, characters of several bytes included', () => {
    const bytes = Buffer.from('one\nzwölf 🐝 Bienen\n\nend');
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(split(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(['one', 'zwölf 🐝 Bienen', '', 'end']);
    }
  });

  it('without a line end become a line at the end only', () => {
    const splitter = new LineSplitter();
    expect(splitter.push(Buffer.from('no end'))).toEqual([]);
    expect(splitter.finish()).toEqual(['no end']);
    expect(splitter.finish()).toEqual([]);
  });

  it('of a very long line are cut once, and the next line is whole', () => {
    const chunks = ['x'.repeat(5000), 'x'.repeat(5000), 'x'.repeat(50_000), '\nnext\n'];
    expect(split(...chunks)).toEqual([`${'x'.repeat(MAX_LINE_BYTES)}…`, 'next']);
  });

  it('exactly as long as a line may be are not cut', () => {
    expect(split(`${'x'.repeat(MAX_LINE_BYTES)}\n`)).toEqual(['x'.repeat(MAX_LINE_BYTES)]);
  });

  it('are never cut inside a character', () => {
    const [line] = split(`x${'é'.repeat(MAX_LINE_BYTES)}`);
    expect(line).toBe(`x${'é'.repeat(MAX_LINE_BYTES / 2 - 1)}…`);
  });
});

describe('a line of a terminal program', () => {
  it.each([
    ['\x1b[31mred\x1b[0m', 'red'],
    ['\x1b[38;5;200mpink\x1b[m', 'pink'],
    ['\x1b]0;title\x07text', 'text'],
    ['\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['10 %\r50 %\r100 %', '100 %'],
    ['done\r', 'done'],
    ['\x1b[2K\x1b[1Gready', 'ready'],
    ['a\x00b\x07c\x7f', 'abc'],
    ['tab\tstays', 'tab\tstays'],
    ['', ''],
  ])('%j is shown as %j', (line, plain) => {
    expect(toPlainLine(line)).toBe(plain);
  });
});
