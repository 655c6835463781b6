/**
 * Turns what zod found into {@link Problem}s: one each, in our words, at its place in the document.
 */
import type { z } from 'zod';
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';
import { didYouMean, type Place, type ProblemCode, problem } from './codes.ts';
import { knownKeys, synonymOf } from './known-keys.ts';

export type Path = (string | number)[];

type Issue = z.core.$ZodIssue;

/** One mistake of shape, with its full path. For an unknown key the path ends in that key. */
export interface Mistake {
  code: ProblemCode;
  path: Path;
  /** The whole sentence. */
  message: string;
  hint: string | undefined;
}

/**
 * Lists the mistakes behind zod's issues; of a union only the branch that the author most likely meant.
 * @param value the document that was checked, to tell a missing value from a wrong one
 */
export function toMistakes(issues: readonly Issue[], value: unknown): Mistake[] {
  return issues
    .flatMap((issue) => flatten(issue, []))
    .flatMap(([issue, path]) => describe(issue, path, valueAt(value, path)));
}

/** Gives mistakes their places. */
export function toProblems(mistakes: readonly Mistake[], locate: (path: Path, code: ProblemCode) => Place): Problem[] {
  return mistakes.map(({ code, path, message, hint }) => problem(code, message, locate(path, code), { hint }));
}

/** Follows `path` through own properties. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}

function flatten(issue: Issue, before: Path): [Issue, Path][] {
  const path = [...before, ...(issue.path as Path)];
  if (issue.code !== 'invalid_union') return [[issue, path]];
  const meant = issue.errors.find((branch) => !branch.some(missesAtRoot));
  return meant === undefined ? [[issue, path]] : meant.flatMap((inner) => flatten(inner, path));
}

/** True when the value is of another kind altogether, so that this branch of a union was not meant. */
function missesAtRoot(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  return (
    issue.code === 'invalid_type' ||
    (issue.code === 'invalid_union' && issue.errors.every((branch) => branch.some(missesAtRoot)))
  );
}

function describe(issue: Issue, path: Path, value: unknown): Mistake[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_key') return [badKey(path, issue.issues[0]?.message ?? 'is not allowed')];
  const subject = subjectOf(path);
  if (value === undefined) return [{ code: 'missing-key', path, message: `${subject} is missing`, hint: undefined }];
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String);
    const message = `${subject} must be one of ${words.map((word) => `"${word}"`).join(', ')}, but is ${show(value)}`;
    return [{ code: 'bad-value', path, message, hint: didYouMean(nearestWord(String(value), words)) }];
  }
  return [{ code: 'bad-value', path, message: `${subject} ${expectation(issue, value)}`, hint: hintFor(path, value) }];
}

function unknownKey(path: Path, key: string): Mistake {
  const where = path.length === 0 ? 'the plan' : subjectOf(path);
  const near = synonymOf(key, path) ?? nearestWord(key, knownKeys(path));
  const merge = key === '<<' ? 'merge keys are not read; use "defaults"' : undefined;
  return {
    code: 'unknown-key',
    path: [...path, key],
    message: `unknown key "${key}" in ${where}`,
    hint: merge ?? didYouMean(near),
  };
}

function badKey(path: Path, rule: string): Mistake {
  const isTask = path[0] === 'tasks' && path.length === 2;
  const kind = isTask ? 'task id' : 'name';
  return { code: isTask ? 'bad-id' : 'bad-value', path, message: `${kind} "${path.at(-1)}" ${rule}`, hint: undefined };
}

function expectation(issue: Issue, value: unknown): string {
  if (issue.message.startsWith('must '))
    return issue.message.includes('but is') ? issue.message : `${issue.message}, but is ${show(value)}`;
  if (issue.code === 'invalid_type') return `must be ${typeName(issue.expected)}, but is ${show(value)}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}, but is ${show(value)}`;
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}, but is ${show(value)}`;
  return `is not right: ${issue.message.toLowerCase()}`;
}

function hintFor(path: Path, value: unknown): string | undefined {
  return path.at(-1) === 'timeout' && typeof value === 'number'
    ? `write "${value}m" for minutes or "${value}s" for seconds`
    : undefined;
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

function show(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const shown = String(value);
  return typeof value === 'string' ? `"${shown.length > 60 ? `${shown.slice(0, 59)}…` : shown}"` : shown;
}

/** `"retries" of task "design"`, `"agents" in "limits"`, `"name"`. */
export function subjectOf(path: Path): string {
  const [first, second, ...rest] = path;
  if (first === undefined) return 'the plan';
  if (first !== 'tasks' || second === undefined)
    return path.length === 1 ? `"${first}"` : `"${formatPath(path.slice(1))}" in "${first}"`;
  return rest.length === 0 ? `task "${second}"` : `"${formatPath(rest)}" of task "${second}"`;
}

/** `tasks.design.needs[0]`. */
export function formatPath(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`)).join('');
}
