/** Columns under headings, as wide as their widest cell. */
import type { Line, Part } from './style.ts';
import { columnsOf } from './text.ts';

const GAP = '  ';

/**
 * @param headings one per column; one that begins with a space is set flush right
 * @param rows cells, already clean
 */
export function toTable(headings: readonly string[], rows: readonly (readonly (Part | string)[])[]): Line[] {
  const text = (cell: Part | string | undefined): string => (typeof cell === 'object' ? cell.text : (cell ?? ''));
  const isRight = headings.map((heading) => heading.startsWith(' '));
  const heads = headings.map((heading) => heading.trim());
  const widths = heads.map((heading, at) =>
    rows.reduce((most, row) => Math.max(most, columnsOf(text(row[at]))), columnsOf(heading)),
  );
  const toLine = (cells: readonly (Part | string)[]): Line =>
    cells.flatMap((cell, at): Line => {
      const padding = ' '.repeat(widths[at]! - columnsOf(text(cell)));
      const gap = at === 0 ? '' : GAP;
      if (isRight[at]) return [gap + padding, cell];
      return at === cells.length - 1 ? [gap, cell] : [gap, cell, padding];
    });
  const lines = [heads.map((heading): Part => ({ text: heading, color: 'dim' })), ...rows].map(toLine);
  return lines.map(withoutEnd);
}

/** Blanks at a line's end would be copied along with it. */
function withoutEnd(line: Line): Line {
  const last = line.findLastIndex((part) => (typeof part === 'string' ? part : part.text).trim() !== '');
  return line.slice(0, last + 1);
}
