/**
 * Where the command line speaks: results to stdout, all else to stderr. The one place that knows whether it speaks to a
 * terminal, and how wide and colourful that is. What is said while a live picture stands is put above it.
 */
import type { WriteStream } from 'node:tty';
import {
  ASCII_GLYPHS,
  colored,
  type Glyphs,
  type Line,
  plain,
  renderLine,
  type Style,
  UNICODE_GLYPHS,
} from './style.ts';
import { clean } from './text.ts';

/** The parts of a writable stream that are used; a terminal has more. */
export type Stream = Pick<NodeJS.WriteStream, 'write' | 'on' | 'off'> &
  Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;

export interface OutputOptions {
  stdout: Stream;
  stderr: Stream;
  env: Readonly<Record<string, string | undefined>>;
  /** False with `--no-color`. */
  color: boolean;
  /** `--quiet`: stderr has errors only. */
  quiet: boolean;
}

/** For a terminal that does not know its size. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export class Output {
  readonly style: Style;
  readonly errorStyle: Style;
  readonly glyphs: Glyphs;
  /** Whether stdout can show a picture that is drawn again in place. */
  readonly isLive: boolean;
  /** Takes the live picture away while something is said, and puts it back after. */
  aside: ((speak: () => void) => void) | undefined;

  constructor(private readonly options: OutputOptions) {
    const { stdout, stderr, env, color } = options;
    const colors = color && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
    this.style = colors && stdout.isTTY === true ? colored : plain;
    this.errorStyle = colors && stderr.isTTY === true ? colored : plain;
    this.isLive = stdout.isTTY === true && env.TERM !== 'dumb';
    const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
    this.glyphs = /^(C|POSIX)$/.test(locale) || env.TERM === 'linux' ? ASCII_GLYPHS : UNICODE_GLYPHS;
  }

  get isQuiet(): boolean {
    return this.options.quiet;
  }

  get stdout(): Stream {
    return this.options.stdout;
  }

  /** Columns of the terminal; without one, as wide as it needs. */
  get columns(): number {
    return this.options.stdout.isTTY === true
      ? this.options.stdout.columns || DEFAULT_COLUMNS
      : Number.POSITIVE_INFINITY;
  }

  get rows(): number {
    return this.options.stdout.rows || DEFAULT_ROWS;
  }

  /** A line of the result. */
  print(text = ''): void {
    this.#speak(() => this.options.stdout.write(`${text}\n`));
  }

  /** Lines of the result, in colours where there are any. */
  printLines(lines: readonly Line[]): void {
    for (const line of lines) this.print(renderLine(line, this.style));
  }

  /** The same for tables, which are cut to the terminal's width rather than broken into more lines. */
  printTable(lines: readonly Line[]): void {
    for (const line of lines) this.print(renderLine(line, this.style, this.columns));
  }

  /** The result for a program: one JSON document on one line. */
  json(value: unknown): void {
    this.print(JSON.stringify(value));
  }

  /** Something to know besides the result. */
  note(text: string): void {
    if (!this.options.quiet) this.complain(this.errorStyle('dim', text));
  }

  /** Something that an operator should look at. @param facts added as JSON */
  warn(message: string, facts?: Record<string, unknown>): void {
    if (this.options.quiet) return;
    const more = Object.keys(facts ?? {}).length === 0 ? '' : ` ${JSON.stringify(facts)}`;
    this.complain(`${this.errorStyle('yellow', 'warning')}: ${clean(message)}${clean(more)}`);
  }

  /** Something that must be seen. */
  complain(text: string): void {
    this.#speak(() => this.options.stderr.write(`${text}\n`));
  }

  #speak(speak: () => void): void {
    if (this.aside === undefined) speak();
    else this.aside(speak);
  }
}
