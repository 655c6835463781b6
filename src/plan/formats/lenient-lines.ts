/**
 * Front matter line by line, for files that are not valid YAML: `key: value`, `key: [a, b]`, and `- item` lines below a key.
 * Text after a quoted value and lines of another form are ignored and noted.
 */
import type { Problem } from '../../runtime/problem.ts';
import { problem } from '../codes.ts';
import type { FieldList, FieldValue } from './fields.ts';

interface Scalar {
  value: string;
  /** What stands behind the value and is no comment, with its offset in the line. */
  rest: { text: string; offset: number } | null;
}

/**
 * @param lines the lines between the two `---`
 * @param firstLine line number of the first of them
 */
export function readLines(lines: readonly string[], file: string, firstLine: number): FieldList {
  const fields = new Map<string, FieldValue>();
  const problems: Problem[] = [];
  let open: FieldValue | undefined;
  const ignore = (text: string, line: number, offset: number): void => {
    problems.push(
      problem('ignored-text', `ignored "${text}"`, { file, line, column: offset + 1 }, { severity: 'note' }),
    );
  };
  const read = (text: string, line: number, offset: number): string => {
    const scalar = readScalar(text, offset);
    if (scalar.rest !== null) ignore(scalar.rest.text, line, scalar.rest.offset);
    return scalar.value;
  };
  for (const [index, text] of lines.entries()) {
    const line = firstLine + index;
    const key = /^([A-Za-z_][\w-]*)\s*:(?:\s+|$)/.exec(text);
    const item = /^\s*-(?:\s+|$)/.exec(text);
    if (/^\s*(?:#.*)?$/.test(text)) continue;
    if (key !== null) {
      open = {
        value: readValue(text, key[0].length, (part, offset) => read(part, line, offset)),
        place: { file, line, column: 1, path: key[1]! },
        entries: [],
      };
      fields.set(key[1]!, open);
    } else if (item !== null && Array.isArray(open?.value)) {
      const offset = item[0].length;
      open.entries.push({ file, line, column: offset + 1, path: `${open.place.path}[${open.value.length}]` });
      open.value.push(read(text.slice(offset), line, offset));
    } else ignore(text.trim(), line, text.length - text.trimStart().length);
  }
  return { fields, problems };
}

/** Nothing after the key opens a list; `[a, b]` is one; all else is one text. */
function readValue(line: string, start: number, read: (text: string, offset: number) => string): string | string[] {
  const rest = line.slice(start);
  if (/^\s*(?:#.*)?$/.test(rest)) return [];
  const inline = /^\[(.*)\]\s*(?:#.*)?$/.exec(rest);
  if (inline === null) return read(rest, start);
  return splitInline(inline[1]!).map((part) => read(part, start + 1));
}

/** Splits at commas that are not inside quotes, in one pass: a pattern for this takes n² steps on quotes that do not end. */
function splitInline(text: string): string[] {
  const parts: string[] = [];
  const unclosed = new Set<string>();
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (at === text.length || text[at] === ',') {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    } else if ((text[at] === '"' || text[at] === "'") && !unclosed.has(text[at]!)) {
      const end = endOfQuote(text, at);
      if (end === undefined) unclosed.add(text[at]!);
      else at = end;
    }
  }
  return parts.filter((part) => part !== '');
}

/** Where the quote that opens at `start` closes; undefined when it does not. */
function endOfQuote(text: string, start: number): number | undefined {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote) return at;
  }
  return undefined;
}

function readScalar(text: string, offset: number): Scalar {
  const quoted = /^"((?:\\.|[^"\\])*)"|^'((?:''|[^'])*)'/.exec(text);
  if (quoted === null) return { value: text.replace(/(?<=\s)#.*$/, '').trim(), rest: null };
  const value = quoted[1] === undefined ? quoted[2]!.replaceAll("''", "'") : quoted[1].replace(/\\(.)/g, '$1');
  const after = text.slice(quoted[0].length);
  const rest = after.trim();
  if (rest === '' || rest.startsWith('#')) return { value, rest: null };
  return { value, rest: { text: rest, offset: offset + quoted[0].length + after.indexOf(rest) } };
}
