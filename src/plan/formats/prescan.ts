/**
 * A look at a YAML text before it is parsed. The parser takes seconds and gigabytes for texts that are made to harm, and
 * tells of them only afterwards; the lexer alone reads 4 MB in well under a second, in constant memory. So what is too
 * deep, too much or plainly broken in bulk ends here.
 */
import { CST, Lexer } from 'yaml';
import { type Place, problem } from '../codes.ts';

/** Most levels of lists and mappings inside each other; a plan needs ten. */
export const MAX_DEPTH = 100;

/**
 * Most words and signs of a document. 10,000 tasks with ten fields each are about 800,000; a million takes the parser two to three
 * seconds.
 */
const MAX_PIECES = 1_000_000;
const MAX_DOCUMENTS = 10;
/** Two commas in a row are a mistake already; the parser would tell of each. */
const MAX_EMPTY_ENTRIES = 20;

type Finding = [code: 'too-deep' | 'too-many-values' | 'many-documents' | 'syntax', message: string];

/** @returns why the text is not to be parsed, or null */
export function prescan(
  text: string,
  file: string,
  toPlace: (offset: number) => Place,
): ReturnType<typeof problem> | null {
  const scan = new Scan(file);
  let offset = 0;
  for (const piece of new Lexer().lex(text)) {
    const found = scan.take(piece);
    if (found !== null) return problem(found[0], found[1], toPlace(offset));
    // The lexer marks documents and scalars by control characters that are not in the text.
    if (!CONTROL.includes(piece)) offset += piece.length;
  }
  return null;
}

const CONTROL: readonly string[] = [CST.DOCUMENT, CST.FLOW_END, CST.SCALAR];

class Scan {
  #pieces = 0;
  #flow = 0;
  /** Signs such as `- - -` that open a block each, on this line. */
  #opened = 0;
  #documents = 0;
  #commas = 0;

  constructor(private readonly file: string) {}

  take(piece: string): Finding | null {
    if (!CONTROL.includes(piece) && ++this.#pieces > MAX_PIECES)
      return ['too-many-values', `"${this.file}" has more than ${MAX_PIECES} words and signs`];
    const type = CST.tokenType(piece);
    if (type !== 'comma' && type !== 'space' && type !== 'newline') this.#commas = 0;
    switch (type) {
      case 'flow-map-start':
      case 'flow-seq-start':
        return ++this.#flow > MAX_DEPTH ? tooDeep() : null;
      case 'flow-map-end':
      case 'flow-seq-end':
        this.#flow = Math.max(0, this.#flow - 1);
        return null;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        return this.#flow === 0 && ++this.#opened > MAX_DEPTH ? tooDeep() : null;
      case 'newline':
        this.#opened = 0;
        return null;
      case 'comma':
        return ++this.#commas > MAX_EMPTY_ENTRIES ? ['syntax', 'commas follow each other without a value'] : null;
      case 'doc-start':
        this.#flow = 0;
        return ++this.#documents > MAX_DOCUMENTS
          ? [
              'many-documents',
              `cannot read "${this.file}": it holds more than ${MAX_DOCUMENTS} documents, a plan is one`,
            ]
          : null;
      default:
        return null;
    }
  }
}

function tooDeep(): Finding {
  return ['too-deep', `lists and mappings are nested more than ${MAX_DEPTH} deep`];
}

/** The path to a value that lies deeper than is read, or null. Aliases count as what they stand for. */
export function findTooDeep(value: unknown): (string | number)[] | null {
  const left: { value: unknown; path: Link | null; depth: number }[] = [{ value, path: null, depth: 0 }];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (typeof at.value !== 'object' || at.value === null) continue;
    if (at.depth >= MAX_DEPTH) return toPath(at.path);
    const isList = Array.isArray(at.value);
    for (const [key, inner] of Object.entries(at.value)) {
      if (typeof inner !== 'object' || inner === null) continue;
      left.push({ value: inner, path: { key: isList ? Number(key) : key, before: at.path }, depth: at.depth + 1 });
    }
  }
  return null;
}

interface Link {
  key: string | number;
  before: Link | null;
}

function toPath(last: Link | null): (string | number)[] {
  const path: (string | number)[] = [];
  for (let link = last; link !== null; link = link.before) path.unshift(link.key);
  return path;
}
