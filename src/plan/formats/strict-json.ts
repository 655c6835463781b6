/**
 * Whether a text is JSON, with the place of the first mistake. The reader of plans understands YAML, of which JSON is a part;
 * so comments and bare keys in a `.json` file would pass here and stop every other program. Pure.
 */

export interface JsonFault {
  offset: number;
  /** What was looked for and is not there. */
  expected: string;
}

/** The first mistake, or null. The text must not be nested deeper than the stack allows; `prescan.ts` looks at that. */
export function findJsonFault(text: string): JsonFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    return new Scanner(text).run();
  }
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const WORD = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class Scanner {
  #at = 0;

  constructor(private readonly text: string) {}

  /** V8 does not tell the place of every mistake, so it is looked for again. */
  run(): JsonFault | null {
    const fault = this.#value();
    if (fault !== null) return fault;
    return this.#at === this.text.length ? null : this.#missing('the end of the file');
  }

  #value(): JsonFault | null {
    this.#take(SPACE);
    const fault = this.#inner();
    this.#take(SPACE);
    return fault;
  }

  #inner(): JsonFault | null {
    if (this.#is('{')) return this.#list('}', () => this.#member());
    if (this.#is('[')) return this.#list(']', () => this.#value());
    const isString = this.text[this.#at] === '"';
    if (this.#take(isString ? STRING : WORD)) return null;
    return this.#missing(isString ? 'text that is valid and closed by double quotes' : 'a value');
  }

  #member(): JsonFault | null {
    this.#take(SPACE);
    if (!this.#take(STRING)) return this.#missing('a key in double quotes');
    this.#take(SPACE);
    return this.#is(':') ? this.#value() : this.#missing('":" after the key');
  }

  #list(end: string, entry: () => JsonFault | null): JsonFault | null {
    this.#take(SPACE);
    if (this.#is(end)) return null;
    do {
      const fault = entry();
      if (fault !== null) return fault;
      this.#take(SPACE);
    } while (this.#is(','));
    return this.#is(end) ? null : this.#missing(`"," or "${end}"`);
  }

  #is(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (found === null) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #missing(expected: string): JsonFault {
    return { offset: this.#at, expected };
  }
}
