/** A stream of bytes with secrets masked: whole lines at a time, since a chunk may end inside a secret. */
import type { Secrets } from './secrets.ts';

const NEWLINE = 10;
/** An unfinished line is kept back up to this size; beyond it a secret that is cut here would be shown. */
const MOST_BYTES = 1024 * 1024;

export class MaskedLines {
  #rest: Buffer = Buffer.alloc(0);

  constructor(private readonly secrets: Secrets) {}

  /** What can be shown after `chunk`; where nothing is secret, the chunk itself. */
  push(chunk: Buffer): Buffer {
    if (this.secrets.isEmpty) return chunk;
    const all = Buffer.concat([this.#rest, chunk]);
    const end = all.length > MOST_BYTES ? all.length : all.lastIndexOf(NEWLINE) + 1;
    this.#rest = all.subarray(end);
    return this.secrets.maskBytes(all.subarray(0, end));
  }

  /** The last line, when it has no end. */
  finish(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return this.secrets.maskBytes(rest);
  }
}
