/**
 * From bytes to lines fit for a screen. A chunk may end in the middle of a line or of a character, a line may have no end
 * at all, and a terminal program sends colours and redrawn progress bars.
 */

/** Longer lines are cut; what is cut stays in the log. */
export const MAX_LINE_BYTES = 8192;

const NEWLINE = 10;

/** Splits a stream of bytes into lines of at most {@link MAX_LINE_BYTES}. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** Inside the part of a long line that is dropped. */
  #isCutting = false;

  /** The lines that `chunk` completes, without their ends. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (this.#isFresh() && end - start <= MAX_LINE_BYTES) lines.push(chunk.toString('utf8', start, end));
      else {
        this.#add(chunk.subarray(start, end), lines);
        this.#end(lines);
      }
      start = end + 1;
    }
    this.#add(chunk.subarray(start), lines);
    return lines;
  }

  /** The last line when it has no end, and a fresh start. */
  finish(): string[] {
    const lines: string[] = [];
    if (this.#rest.length > 0) this.#end(lines);
    this.reset();
    return lines;
  }

  /** Forgets an unfinished line: the reader has skipped part of the stream. */
  reset(): void {
    this.#rest = Buffer.alloc(0);
    this.#isCutting = false;
  }

  #isFresh(): boolean {
    return this.#rest.length === 0 && !this.#isCutting;
  }

  #add(part: Buffer, lines: string[]): void {
    if (this.#isCutting || part.length === 0) return;
    this.#rest = Buffer.concat([this.#rest, part.subarray(0, MAX_LINE_BYTES + 1 - this.#rest.length)]);
    if (this.#rest.length <= MAX_LINE_BYTES) return;
    lines.push(`${decodeWhole(this.#rest.subarray(0, MAX_LINE_BYTES))}…`);
    this.#rest = Buffer.alloc(0);
    this.#isCutting = true;
  }

  #end(lines: string[]): void {
    if (!this.#isCutting) lines.push(this.#rest.toString('utf8'));
    this.reset();
  }
}

/** Decodes bytes that may end inside a character, leaving that character out. */
function decodeWhole(bytes: Buffer): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  const isCut = end > 0 && bytes[end - 1]! >= 0xc0;
  return bytes.subarray(0, isCut ? end - 1 : bytes.length).toString('utf8');
}

const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** A line as text: no colours, no cursor movements, no control characters; of a redrawn line what was drawn last. */
export function toPlainLine(line: string): string {
  const drawn = line.replace(ESCAPES, '').split('\r');
  return (drawn.findLast((part) => part.trim() !== '') ?? '').replace(CONTROLS, '');
}
