/**
 * The front matter of a task file, between two `---` lines. Read as YAML when it is YAML; real files often are not
 * (`- "src/x.rs" (modified)`), so then line by line: what cannot be understood is ignored, and said.
 */

import type { Problem } from '../../runtime/problem.ts';
import { err, ok, type Result } from '../../runtime/result.ts';
import { problem } from '../codes.ts';
import { readDocument } from './document.ts';
import type { FieldList, FieldValue } from './fields.ts';
import { readLines } from './lenient-lines.ts';

export interface FrontMatter extends FieldList {
  /** The text after the second `---`, without blank lines around it. */
  body: string;
}

/** Most characters between the two lines. Those of real task files are below 4 KB. */
const MAX_FRONT_MATTER = 64 * 1024;

/** Splits a task file and reads its front matter. The only mistakes are that there is none, or that it does not end. */
export function readFrontMatter(source: string, file: string): Result<FrontMatter, Problem> {
  const lines = source.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (lines[0]?.trimEnd() !== '---') {
    return err(
      problem('no-front-matter', `"${file}" has no front matter: it must begin with a line "---"`, {
        file,
        line: 1,
        column: 1,
      }),
    );
  }
  const end = lines.findIndex((line, index) => index > 0 && /^(?:---|\.\.\.)\s*$/.test(line));
  if (end < 0) {
    return err(
      problem('no-front-matter', `the front matter of "${file}" does not end: a second line "---" is missing`, {
        file,
        line: 1,
        column: 1,
      }),
    );
  }
  const inner = lines.slice(1, end);
  if (inner.join('\n').length > MAX_FRONT_MATTER)
    return err(
      problem('plan-too-large', `the front matter of "${file}" is longer than 64 KB`, { file, line: 1, column: 1 }),
    );
  const strict = readStrict(inner.join('\n'), file);
  const { fields, problems } = strict ?? readLines(inner, file, 2);
  return ok({
    fields,
    problems,
    body: lines
      .slice(end + 1)
      .join('\n')
      .trim(),
  });
}

/** The fields when the text is proper YAML of texts and lists of texts; null when the lenient reader must do it. */
function readStrict(text: string, file: string): FieldList | null {
  const read = readDocument(text, file, 2);
  if (!read.ok || read.value.problems.length > 0) return null;
  const { value, locate } = read.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields = new Map<string, FieldValue>();
  for (const [key, field] of Object.entries(value)) {
    const texts = toTexts(field);
    if (texts === null) return null;
    const entries = Array.isArray(texts) ? texts.map((_, index) => locate([key, index])) : [];
    fields.set(key, { value: texts, place: locate([key], 'key'), entries });
  }
  return { fields, problems: [] };
}

function toTexts(value: unknown): string | string[] | null {
  if (value === null) return [];
  if (Array.isArray(value)) return value.every(isScalar) ? value.map(String) : null;
  return isScalar(value) ? String(value) : null;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
