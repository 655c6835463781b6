/**
 * Draws lines in place: goes back to the first line of the last picture and writes over it. Line wrap is off while it
 * draws, the cursor is hidden while it stands, and both are restored whatever ends the process.
 */
import type { Stream } from '../terminal/output.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';
const CLEAR_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const COLORS = /\u001b\[\d*m/g;

export class Painter {
  readonly #stream: Stream;
  #lines: readonly string[] = [];
  #columns: number;
  #isUp = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#columns = this.#width();
  }

  start(): void {
    process.on('exit', this.#restore);
    this.#stream.write(HIDE_CURSOR);
    this.#isUp = true;
  }

  /** Replaces the picture; writes nothing when it is the same. */
  paint(lines: readonly string[]): void {
    const isSame = lines.length === this.#lines.length && lines.every((line, at) => line === this.#lines[at]);
    if (isSame && this.#width() === this.#columns) return;
    this.#write(lines);
  }

  /** Says something above the picture. */
  aside(speak: () => void): void {
    const lines = this.#lines;
    this.#stream.write(`${this.#home()}${CLEAR_BELOW}`);
    this.#lines = [];
    speak();
    this.#write(lines);
  }

  /** Leaves the picture where it is and the cursor below it. */
  stop(): void {
    if (!this.#isUp) return;
    this.#restore();
    process.off('exit', this.#restore);
  }

  #write(lines: readonly string[]): void {
    const body = lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('');
    this.#stream.write(`${WRAP_OFF}${this.#home()}${body}${CLEAR_BELOW}${WRAP_ON}`);
    this.#lines = lines;
    this.#columns = this.#width();
  }

  /** To the first line of the picture. A terminal that became narrower has broken its lines into more. */
  #home(): string {
    if (this.#lines.length === 0) return '\r';
    const width = this.#width();
    const broken = (line: string): number => Math.max(1, Math.ceil(line.replace(COLORS, '').length / width));
    const rows = width < this.#columns ? this.#lines.reduce((sum, line) => sum + broken(line), 0) : this.#lines.length;
    return `\r\u001b[${Math.min(rows, this.#height())}A`;
  }

  readonly #restore = (): void => {
    if (this.#isUp) this.#stream.write(`${WRAP_ON}${SHOW_CURSOR}`);
    this.#isUp = false;
  };

  #width(): number {
    return this.#stream.columns || 80;
  }

  #height(): number {
    return Math.max(1, (this.#stream.rows || 24) - 1);
  }
}
