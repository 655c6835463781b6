/**
 * `${{ matrix.key }}` in a task's texts. Never in a shell line: a value would become part of the program. There the value is
 * in the environment, as `$MATRIX_KEY`.
 */
import { nearestWord } from '../runtime/nearest.ts';
import type { JsonValue } from './plan.ts';
import type { RawTask } from './schema-task.ts';

const REFERENCE = /\$\{\{\s*matrix\.([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;

export interface MatrixMistake {
  code: 'unknown-matrix-key' | 'matrix-in-shell';
  field: string;
  message: string;
  hint: string;
}

/** The environment variables of a combination: `node-version` is `MATRIX_NODE_VERSION`. */
export function matrixEnv(combination: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(combination).map(([key, value]) => [variableOf(key), value]));
}

/** Writes the values of `combination` into every text of a task, except shell lines. */
export function substituteMatrix(raw: RawTask, combination: Record<string, string>): RawTask {
  const entries = Object.entries(raw).map(([field, value]) => [
    field,
    isShell(field, value) || field === 'matrix' ? value : substitute(value as JsonValue, combination),
  ]);
  return Object.fromEntries(entries) as RawTask;
}

/** Lists references to keys that `keys` lacks, and references in shell lines. */
export function findMatrixMistakes(raw: RawTask, keys: ReadonlySet<string>): MatrixMistake[] {
  return Object.entries(raw).flatMap(([field, value]) => {
    const used = field === 'matrix' ? [] : [...new Set(references(value as JsonValue))];
    return isShell(field, value)
      ? used.map((key) => inShell(field, key))
      : used.filter((key) => !keys.has(key)).map((key) => unknownKey(field, key, keys));
  });
}

function inShell(field: string, key: string): MatrixMistake {
  const message = `"${field}" is a shell line and cannot hold "\${{ matrix.${key} }}"`;
  return {
    code: 'matrix-in-shell',
    field,
    message,
    hint: `write "$${variableOf(key)}", or make "${field}" a list of words`,
  };
}

function unknownKey(field: string, key: string, keys: ReadonlySet<string>): MatrixMistake {
  const near = nearestWord(key, keys);
  const hint =
    near !== undefined
      ? `did you mean "${near}"?`
      : keys.size === 0
        ? 'the task has no matrix'
        : `it has ${[...keys].join(', ')}`;
  return {
    code: 'unknown-matrix-key',
    field,
    message: `"${field}" uses the matrix key "${key}", which the matrix does not have`,
    hint,
  };
}

function isShell(field: string, value: unknown): boolean {
  return (field === 'run' || field === 'check' || field === 'undo') && typeof value === 'string';
}

function references(value: JsonValue): string[] {
  if (typeof value === 'string') return [...value.matchAll(REFERENCE)].map(([, key]) => key!);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(references);
}

function substitute(value: JsonValue, combination: Record<string, string>): JsonValue {
  if (typeof value === 'string')
    return value.replace(REFERENCE, (whole, key: string) =>
      Object.hasOwn(combination, key) ? combination[key]! : whole,
    );
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => substitute(item, combination));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, combination)]));
}

function variableOf(key: string): string {
  return `MATRIX_${key.toUpperCase().replaceAll('-', '_')}`;
}
