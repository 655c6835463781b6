/**
 * A YAML or JSON text as a value with places. Only this file and locator.ts know the `yaml` package; JSON is read by it as
 * well, so that both have line and column. Reading is bounded: 4 MB of text, depth and pieces (see prescan.ts), 50 uses of
 * an alias, no merge keys.
 */
import { type Document, isMap, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { errorMessage } from '../../runtime/errors.ts';
import type { Problem } from '../../runtime/problem.ts';
import { err, ok, type Result } from '../../runtime/result.ts';
import { type Place, problem } from '../codes.ts';
import type { Path } from '../issues.ts';
import { isReservedWord } from '../names.ts';
import { Locator, startOf } from './locator.ts';
import { findTooDeep, prescan } from './prescan.ts';
import { findJsonFault } from './strict-json.ts';

/**
 * Most bytes of a document. The largest plan, 10,000 tasks, must fit when it is written with care: ten fields and about 400
 * characters each are 4 MB. With 1 MB it would have to do with 100 characters for each.
 */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** For messages. */
export const MAX_TEXT = '4 MB';
const MAX_ALIASES = 50;
/** Of a path that is too deep, so much says where to look. */
const SHOWN_DEPTH = 5;
const TOO_DEEP = 'the document is nested too deeply';

export interface ReadDocument {
  /** Plain data; no key is a reserved word. */
  value: unknown;
  /** Mistakes that leave the rest readable: keys written twice. */
  problems: Problem[];
  /** Where the value (or, with `key`, the key) at `path` is; the nearest known ancestor when it is not there. */
  locate(path: Path, at?: 'key' | 'value'): Place;
}

/**
 * Reads a text of one document.
 * @param file for messages
 * @param firstLine the line of the file on which `text` begins (front matter begins on line 2)
 */
export function readDocument(text: string, file: string, firstLine = 1): Result<ReadDocument, Problem[]> {
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    return err([problem('plan-too-large', `cannot read "${file}": it is larger than ${MAX_TEXT}`, { file })]);
  }
  const counter = new LineCounter();
  const toPlace = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { file, line: line + firstLine - 1, column: col };
  };
  try {
    const harm = prescan(text, file, (offset) => placeIn(text, offset, file, firstLine));
    return harm === null ? readParsed(text, counter, file, toPlace) : err([harm]);
  } catch (error) {
    return err([problem(...thrown(error), { file, line: firstLine, column: 1 })]);
  }
}

function readParsed(
  text: string,
  counter: LineCounter,
  file: string,
  toPlace: (offset: number) => Place,
): Result<ReadDocument, Problem[]> {
  const parsed = parseAllDocuments(text, {
    schema: 'core',
    version: '1.2',
    merge: false,
    uniqueKeys: false,
    lineCounter: counter,
    prettyErrors: false,
  });
  const documents: Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  const [document, second] = documents;
  if (document === undefined)
    return err([problem('not-a-plan', `cannot read "${file}": it is empty`, { file, line: 1, column: 1 })]);
  const problems = syntaxProblems(documents, toPlace);
  if (second !== undefined) {
    const place = toPlace(second.range[0]);
    problems.push(
      problem('many-documents', `cannot read "${file}": it holds ${documents.length} documents, a plan is one`, place),
    );
  }
  if (problems.length === 0) problems.push(...keyProblems(document, toPlace));
  if (problems.some(({ code }) => !code.startsWith('duplicate-'))) return err(problems);
  const locator = new Locator(document, toPlace);
  const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
  const deep = findTooDeep(value);
  if (deep !== null) return err([problem('too-deep', TOO_DEEP, locator.locate(deep.slice(0, SHOWN_DEPTH), 'value'))]);
  return ok({ value, problems, locate: (path, at = 'value') => locator.locate(path, at) });
}

/**
 * The same of a text that must be JSON. What is wrong with it as JSON is told instead of what the reader of YAML makes of it.
 */
export function readJsonDocument(text: string, file: string): Result<ReadDocument, Problem[]> {
  const document = readDocument(text, file);
  if (!document.ok && document.error.some(({ code }) => code !== 'syntax')) return document;
  const bare = text.replace(/^\uFEFF/, '');
  const fault = bare.trim() === '' ? null : findJsonFault(bare);
  if (fault === null) return document;
  const message = `cannot read "${file}" as JSON: ${fault.expected} is missing here`;
  const hint = 'JSON has no comments, no bare keys and no last comma; a plan with them can be a .yaml file';
  return err([problem('syntax', message, placeIn(bare, fault.offset, file, 1), { hint })]);
}

/** Before the parser has counted the lines. */
function placeIn(text: string, offset: number, file: string, firstLine: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length + firstLine - 1, column: (before.at(-1) ?? '').length + 1 };
}

function thrown(error: unknown): ['too-many-aliases' | 'too-deep' | 'syntax', string] {
  if (error instanceof RangeError) return ['too-deep', TOO_DEEP];
  if (error instanceof ReferenceError && /alias/i.test(error.message)) {
    return [
      'too-many-aliases',
      `aliases are used more than ${MAX_ALIASES} times: write the values out, or use "defaults"`,
    ];
  }
  return ['syntax', `cannot read the document: ${errorMessage(error)}`];
}

/** The parser's mistakes, each once: after a syntax error it often repeats itself for every open bracket. */
function syntaxProblems(documents: readonly Document.Parsed[], toPlace: (offset: number) => Place): Problem[] {
  const errors = documents.flatMap((document) => document.errors);
  const tooDeep = errors.find(({ message }) => message.includes('call stack'));
  if (tooDeep !== undefined) return [problem('too-deep', TOO_DEEP, toPlace(tooDeep.pos[0]))];
  const unique = new Map(errors.map((error) => [`${error.pos[0]} ${error.message}`, error]));
  return [...unique.values()].map((error) => problem('syntax', inOurWords(error.message), toPlace(error.pos[0])));
}

/** Keys that are reserved words or written twice. The parser's own check for the latter takes n² steps. */
function keyProblems(document: Document.Parsed, toPlace: (offset: number) => Place): Problem[] {
  const found: Problem[] = [];
  const tasks: unknown = isMap(document.contents) ? document.get('tasks') : undefined;
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key: node } of map.items) {
        const key = isScalar(node) ? String(node.value) : String(node);
        const place = toPlace(startOf(node) ?? 0);
        if (isReservedWord(key))
          found.push(problem('reserved-name', `"${key}" cannot be a name: every object has it`, place));
        if (seen.has(key)) found.push(doubled(key, map === tasks, place));
        seen.add(key);
      }
    },
  });
  return found;
}

function doubled(key: string, isTask: boolean, place: Place): Problem {
  if (isTask) return problem('duplicate-task', `two tasks have the id "${key}"`, place);
  return problem('duplicate-key', `key "${key}" is written twice`, place);
}

function inOurWords(message: string): string {
  const named = message.replace('"quote', 'double quote').replace("'quote", 'single quote');
  return named.charAt(0).toLowerCase() + named.slice(1);
}
