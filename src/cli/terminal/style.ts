/**
 * Colours and state glyphs. Lines are made of parts, so that they can be cut to the terminal's width before any colour
 * is added, and stay free of escape codes where colours are off.
 */
import type { RunState, TaskState } from '../../plan/states.ts';
import { columnsOf, cut } from './text.ts';

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 } as const;

export type Color = keyof typeof CODES;

export interface Part {
  text: string;
  color?: Color;
}

/** A piece of a line: plain text, or text with its colour. */
export type Line = readonly (Part | string)[];

/** Text in a colour, or as it is where colours are off. */
export type Style = (color: Color | undefined, text: string) => string;

export const plain: Style = (_color, text) => text;

export const colored: Style = (color, text) =>
  color === undefined || text === '' ? text : `\u001b[${CODES[color]}m${text}\u001b[0m`;

/** The line as text. @param columns what is longer is cut */
export function renderLine(line: Line, style: Style, columns = Number.POSITIVE_INFINITY): string {
  let left = columns;
  let text = '';
  for (const piece of line) {
    const part = typeof piece === 'string' ? { text: piece } : piece;
    const short = cut(part.text, left);
    text += style(part.color, short);
    left -= columnsOf(short);
    if (short !== part.text || left <= 0) break;
  }
  return text;
}

export type Glyphs = Readonly<Record<TaskState, string>> & { spinner: readonly string[]; more: string };

export const UNICODE_GLYPHS: Glyphs = {
  pending: '·',
  ready: '○',
  running: '●',
  parked: '‖',
  completed: '✔',
  failed: '✖',
  blocked: '■',
  skipped: '↷',
  cancelled: '×',
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  more: '…',
};

/** For terminals whose locale has no such characters. */
export const ASCII_GLYPHS: Glyphs = {
  pending: '.',
  ready: 'o',
  running: '*',
  parked: '=',
  completed: '+',
  failed: 'x',
  blocked: '#',
  skipped: '-',
  cancelled: '~',
  spinner: ['|', '/', '-', '\\'],
  more: '...',
};

export const STATE_COLORS: Readonly<Partial<Record<TaskState | RunState, Color>>> = {
  pending: 'dim',
  running: 'cyan',
  parked: 'yellow',
  paused: 'yellow',
  completed: 'green',
  failed: 'red',
  blocked: 'magenta',
  skipped: 'dim',
  cancelled: 'yellow',
};

/** A state's word or glyph in its colour. */
export function statePart(state: TaskState | RunState, text: string = state): Part {
  const color = STATE_COLORS[state];
  return color === undefined ? { text } : { text, color };
}
