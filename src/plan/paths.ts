/**
 * Where a declared input or output lies, as far as words go. Real task files write inputs in five ways (`../task/file`,
 * `../phase/task/file`, `../../phase/task/file`, `workspace/outputs/…`, repository paths), so an input has candidates in
 * the order to try; an output has exactly one place. No candidate ever has a `..` part.
 */
import { err, ok, type Result } from '../runtime/result.ts';
import type { ProblemCode } from './codes.ts';
import { isGlob } from './glob.ts';
import type { FileRef } from './plan.ts';

export type Candidate = FileRef['candidates'][number];

export interface PathMistake {
  code: Extract<ProblemCode, 'bad-path' | 'path-outside'>;
  /** The end of a sentence that begins with the path. */
  message: string;
}

/** Most characters of a path as written. */
const MAX_PATH = 1000;

/**
 * Reads a declared output. Bare names and `folder/` lie in the task's output folder, `workspace/…` in the run's workspace,
 * every other path with a slash in the project.
 */
export function readOutput(text: string): Result<FileRef, PathMistake> {
  const mistake = findMistake(text);
  if (mistake !== null) return err(mistake);
  const base = outputBase(text);
  const path = normalize(base === 'workspace' ? text.slice('workspace/'.length) : text);
  if (path === null || path === '') return err(outside());
  return ok(toRef(text, [{ base, path }]));
}

/**
 * Reads a declared input.
 * @param phaseFolder the folder of the task's file below the tasks folder (`01-analysis`); null in plans that are one file,
 *   where an input is a project path or `<task id>/<output>`
 */
export function readInput(text: string, taskId: string, phaseFolder: string | null): Result<FileRef, PathMistake> {
  const mistake = findMistake(text);
  if (mistake !== null) return err(mistake);
  if (text.startsWith('workspace/')) {
    const path = normalize(text.slice('workspace/'.length));
    return path === null || path === '' ? err(outside()) : ok(toRef(text, [{ base: 'workspace', path }]));
  }
  const candidates = phaseFolder === null ? planCandidates(text) : protocolCandidates(text, taskId, phaseFolder);
  return candidates.length === 0 ? err(outside()) : ok(toRef(text, candidates));
}

/** The place of an output below the project or the workspace: one key for one file, whoever names it. */
export function placeKey(candidate: Candidate, taskId: string): string {
  return candidate.base === 'output'
    ? `workspace:outputs/${taskId}/${candidate.path}`
    : `${candidate.base}:${candidate.path}`;
}

function planCandidates(text: string): Candidate[] {
  const path = normalize(text);
  return [toCandidate('project', path), toCandidate('workspace', outputsPath(path))].filter((found) => found !== null);
}

/** The task protocol's order: project, outputs, own folder, phase folder, and at last without the leading `../`. */
function protocolCandidates(text: string, taskId: string, phaseFolder: string): Candidate[] {
  const found = [
    ...planCandidates(text),
    ownCandidate(normalize(`${taskId}/${text}`), taskId),
    toCandidate('workspace', outputsPath(normalize(`${phaseFolder}/${text}`))),
    toCandidate('workspace', outputsPath(normalize(text.replace(/^(?:\.\.\/)+/, '')))),
  ];
  return unique(found.filter((candidate) => candidate !== null));
}

function ownCandidate(path: string | null, taskId: string): Candidate | null {
  if (path === null) return null;
  return path.startsWith(`${taskId}/`)
    ? toCandidate('output', path.slice(taskId.length + 1))
    : toCandidate('workspace', outputsPath(path));
}

function toCandidate(base: Candidate['base'], path: string | null): Candidate | null {
  return path === null || path === '' ? null : { base, path };
}

function outputsPath(path: string | null): string | null {
  return path === null || path === '' ? null : `outputs/${path}`;
}

function unique(candidates: Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ base, path }) => !seen.has(`${base}:${path}`) && seen.add(`${base}:${path}`));
}

function outputBase(text: string): Candidate['base'] {
  if (text.startsWith('workspace/')) return 'workspace';
  return text.replace(/\/+$/, '').includes('/') ? 'project' : 'output';
}

function toRef(text: string, candidates: Candidate[]): FileRef {
  return { text, candidates, directory: text.endsWith('/'), glob: isGlob(text) };
}

/** Resolves `.` and `..` parts and drops a trailing slash; null when the path leaves its base. */
function normalize(path: string): string | null {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join('/');
}

function findMistake(text: string): PathMistake | null {
  if (text.trim() === '') return { code: 'bad-path', message: 'is empty' };
  if (text.length > MAX_PATH) return { code: 'bad-path', message: `is longer than ${MAX_PATH} characters` };
  if (/[\0-\x1f]/.test(text)) return { code: 'bad-path', message: 'holds a NUL or control character' };
  if (text.startsWith('/') || /^[A-Za-z]:[\\/]/.test(text) || text.startsWith('\\\\')) {
    return { code: 'path-outside', message: 'is absolute; write it relative to the project' };
  }
  return text.includes('\\') ? { code: 'bad-path', message: 'has a backslash; write forward slashes' } : null;
}

function outside(): PathMistake {
  return { code: 'path-outside', message: 'leads outside the project' };
}
