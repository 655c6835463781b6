/** A figure with its target, and the table of all of them. */
import type { Part } from './options.ts';

export type Unit = 'ratio' | 'per second' | 'ms' | 'bytes' | 'percent' | 'count';

export interface Target {
  /** `least`: not below; `most`: not above. */
  kind: 'least' | 'most';
  limit: number;
}

export interface Row {
  part: Part;
  /** Stays the same from one version of planq to the next. */
  id: string;
  what: string;
  value: number;
  unit: Unit;
  target: Target | null;
  /** Null without a target. */
  kept: boolean | null;
  /** One value for each round, where the figure is their median. */
  rounds: number[];
}

export type RowFacts = Omit<Row, 'kept' | 'target' | 'rounds'> & { target?: Target; rounds?: number[] };

export function row({ target = undefined, rounds = [], ...facts }: RowFacts): Row {
  const value = short(facts.value);
  const kept = target === undefined ? null : isKept(value, target);
  return { ...facts, value, target: target ?? null, kept, rounds: rounds.map(short) };
}

export const atLeast = (limit: number): Target => ({ kind: 'least', limit });
export const atMost = (limit: number): Target => ({ kind: 'most', limit });

function isKept(value: number, { kind, limit }: Target): boolean {
  return kind === 'least' ? value >= limit : value <= limit;
}

/** Four digits: more would be noise. */
function short(value: number): number {
  return Number(value.toPrecision(4));
}

const SUFFIX: Record<Unit, string> = {
  ratio: ' ×',
  'per second': '/s',
  ms: ' ms',
  bytes: ' bytes',
  percent: ' %',
  count: '',
};

export function format(value: number, unit: Unit): string {
  if (unit === 'bytes' && value >= 1_000_000) return `${figure(value / 1_000_000)} MB`;
  if (unit === 'ms' && value >= 10_000) return `${figure(value / 1000)} s`;
  return `${figure(value)}${SUFFIX[unit]}`;
}

function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** Header, then a line for each row, as cells. */
export function toCells(rows: readonly Row[]): string[][] {
  const lines = rows.map(({ part, what, value, unit, target, kept }) => [
    part,
    what,
    format(value, unit),
    target === null ? '' : `${target.kind === 'least' ? '≥' : '≤'} ${format(target.limit, unit)}`,
    kept === null ? '' : kept ? 'yes' : '**no**',
  ]);
  return [['', 'what', 'measured', 'target', 'kept?'], ...lines];
}

/** For a terminal. */
export function toText(rows: readonly Row[]): string {
  const cells = toCells(rows).map((line) => line.map((cell) => cell.replaceAll('**', '')));
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** For docs. */
export function toMarkdown(rows: readonly Row[]): string {
  const [header, ...lines] = toCells(rows).map((line) => `| ${line.join(' | ')} |`);
  return [header, '|---|---|---|---|---|', ...lines].join('\n');
}
