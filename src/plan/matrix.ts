/**
 * A matrix makes one task into many, as in GitHub Actions: every combination of the listed values, without those that match
 * an `exclude`, then with each `include` either extending the combinations that it does not contradict, or added by itself.
 */
import { err, ok, type Result } from '../runtime/result.ts';
import type { RawMatrix } from './schema-task.ts';

/** Most variants of one task (GitHub's limit). */
export const MAX_VARIANTS = 256;

type Combination = Record<string, string>;

/**
 * Lists the combinations of a matrix in document order, values as text.
 * @returns `empty-matrix` or `matrix-too-large` instead, when there is none or there are more than 256
 */
export function expandMatrix(matrix: RawMatrix): Result<Combination[], 'empty-matrix' | 'matrix-too-large'> {
  const { include = [], exclude = [], ...keys } = matrix;
  const axes = Object.entries(keys as Record<string, (string | number | boolean)[]>);
  const size = axes.reduce((product, [, values]) => product * values.length, 1);
  if (size > MAX_VARIANTS * 4) return err('matrix-too-large');
  const refused = exclude.map(toTexts);
  const base = axes.length === 0 ? [] : product(axes).filter((one) => !refused.some((part) => contains(one, part)));
  const combinations = withIncludes(base, include.map(toTexts), new Set(Object.keys(keys)));
  if (combinations.length > MAX_VARIANTS) return err('matrix-too-large');
  return combinations.length === 0 ? err('empty-matrix') : ok(combinations);
}

/** The id of a variant: the task's name, a slash, and the values, such as `test/20-linux`. */
export function variantId(name: string, combination: Combination): string {
  const values = Object.values(combination).map((value) =>
    value.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, ''),
  );
  return `${name}/${values.filter((value) => value !== '').join('-') || 'variant'}`;
}

function product(axes: [string, (string | number | boolean)[]][]): Combination[] {
  let found: Combination[] = [{}];
  for (const [key, values] of axes) {
    found = found.flatMap((one) => values.map((value) => ({ ...one, [key]: String(value) })));
  }
  return found;
}

function withIncludes(base: Combination[], includes: Combination[], axes: ReadonlySet<string>): Combination[] {
  const extended = base.map((one) => ({ ...one }));
  const added: Combination[] = [];
  for (const include of includes) {
    // Only the original values must not be overwritten; what an earlier include added may be.
    const fixed = Object.entries(include).filter(([key]) => axes.has(key));
    const matching = extended.filter((one) => fixed.every(([key, value]) => one[key] === value));
    for (const one of matching) Object.assign(one, include);
    if (matching.length === 0) added.push(include);
  }
  return [...extended, ...added];
}

function contains(one: Combination, part: Combination): boolean {
  return Object.entries(part).every(([key, value]) => one[key] === value);
}

function toTexts(values: Record<string, string | number | boolean>): Combination {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}
