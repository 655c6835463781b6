import { describe, expect, it } from 'vitest';
import { Painter } from '../../../src/cli/live/painter.ts';
import type { Stream } from '../../../src/cli/terminal/output.ts';

/** A terminal that keeps what was written and, of the codes that the painter uses, does what they say. */
function createTerminal(columns = 80, rows = 24) {
  const screen: string[] = [''];
  const codes: string[] = [];
  let row = 0;
  const obey = (code: string): void => {
    codes.push(code);
    if (code.endsWith('A')) row = Math.max(0, row - Number(code.slice(2, -1)));
    if (code.endsWith('J')) screen.splice(row, Number.POSITIVE_INFINITY, '');
  };
  const write = (text: string): boolean => {
    for (const [piece] of text.matchAll(/\u001b\[[?\d]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g)) {
      if (piece.startsWith('\u001b')) obey(piece);
      else if (piece === '\n') screen[++row] ??= '';
      else if (piece !== '\r') screen[row] = piece;
    }
    return true;
  };
  const stream = { write, columns, rows, isTTY: true } as unknown as Stream & { columns: number };
  return { stream, codes, lines: () => screen.filter((line, at) => line !== '' || at < screen.length - 1) };
}

describe('the painter', () => {
  it('writes each picture over the last one', () => {
    const terminal = createTerminal();
    const painter = new Painter(terminal.stream);
    painter.start();
    painter.paint(['a', 'b', 'c']);
    painter.paint(['d', 'e']);
    expect(terminal.lines()).toEqual(['d', 'e']);
    painter.paint(['f', 'g', 'h', 'i']);
    painter.stop();
    expect(terminal.lines()).toEqual(['f', 'g', 'h', 'i']);
  });

  it('writes nothing when nothing has changed', () => {
    const terminal = createTerminal();
    const painter = new Painter(terminal.stream);
    painter.paint(['a']);
    const before = terminal.codes.length;
    painter.paint(['a']);
    expect(terminal.codes).toHaveLength(before);
  });

  it('keeps what is said above the picture', () => {
    const terminal = createTerminal();
    const painter = new Painter(terminal.stream);
    painter.paint(['a', 'b']);
    painter.aside(() => terminal.stream.write('said\n'));
    painter.paint(['c', 'd']);
    expect(terminal.lines()).toEqual(['said', 'c', 'd']);
  });

  it('hides the cursor and gives it back, also when the process ends', () => {
    const terminal = createTerminal();
    const painter = new Painter(terminal.stream);
    const before = process.listenerCount('exit');
    painter.start();
    expect(process.listenerCount('exit')).toBe(before + 1);
    painter.paint(['a']);
    painter.stop();
    painter.stop();
    expect(process.listenerCount('exit')).toBe(before);
    expect(terminal.codes[0]).toBe('\u001b[?25l');
    expect(terminal.codes.at(-1)).toBe('\u001b[?25h');
    expect(terminal.codes.filter((code) => code === '\u001b[?25h')).toHaveLength(1);
  });

  it('goes back over the lines that a narrower terminal has broken', () => {
    const terminal = createTerminal(80);
    const painter = new Painter(terminal.stream);
    painter.paint(['\u001b[31mxxxxxxxxxx\u001b[0m', 'y']);
    terminal.stream.columns = 4;
    painter.paint(['z']);
    expect(terminal.codes).toContain('\u001b[4A');
  });
});
