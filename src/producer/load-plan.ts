/**
 * Reads a plan from disk: a file, or a folder of task files. The only part of planq that looks for plans in the file system.
 */
import { constants, type Dirent } from 'node:fs';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { MAX_TEXT, MAX_TEXT_BYTES } from '../plan/formats/document.ts';
import { type FolderFile, isTaskFile } from '../plan/formats/markdown-folder.ts';
import { compileGraph } from '../plan/graph.ts';
import { type ParseOptions, type PlanSource, parsePlan } from '../plan/parse.ts';
import type { Graph, Plan } from '../plan/plan.ts';
import { errorMessage, PlanqError } from '../runtime/errors.ts';
import { nearestWord } from '../runtime/nearest.ts';
import { readAtMost } from '../runtime/open-inside.ts';
import type { Problem } from '../runtime/problem.ts';

/** Most files that are read from a folder. */
const MAX_FILES = 10_000;
/** Most bytes of all files of a folder together. */
const MAX_FOLDER_BYTES = 64 * 1024 * 1024;
/** Folders that never hold task files. */
const SKIPPED = new Set(['node_modules', 'workspace']);

export interface LoadOptions extends ParseOptions {
  /** Working directory: relative paths begin here, and files are shown relative to it. */
  cwd: string;
}

export interface LoadedPlan {
  plan: Plan;
  graph: Graph;
  /** Warnings and notes. */
  problems: Problem[];
}

/**
 * Reads, checks and compiles a plan.
 * @param file a YAML or JSON file, or a folder of task files (or one that holds such a folder named `tasks`)
 * @throws PlanqError `plan_not_found`; `plan_invalid` with all problems in `facts.problems`
 */
export async function loadPlan(file: string, options: LoadOptions): Promise<LoadedPlan> {
  const absolute = path.resolve(options.cwd, file);
  const shown = toShown(absolute, options.cwd);
  const source = await readSource(absolute, shown);
  const parsed = parsePlan(source, options);
  if (!parsed.ok) throw invalid(shown, parsed.error);
  return { plan: parsed.value.plan, graph: compileGraph(parsed.value.plan), problems: parsed.value.problems };
}

async function readSource(absolute: string, shown: string): Promise<PlanSource> {
  try {
    const found = await stat(absolute);
    if (found.isDirectory()) return await readFolder(absolute, shown);
    if (!found.isFile()) throw notAFile(shown);
    return { kind: 'file', file: shown, text: await readText(absolute, shown, constants.O_RDONLY) };
  } catch (error) {
    throw error instanceof PlanqError ? error : await notFound(absolute, shown, error);
  }
}

/** A project folder is meant by its `tasks/`, when it holds no task files itself. */
async function readFolder(absolute: string, shown: string): Promise<PlanSource> {
  const paths = await listMarkdown(absolute, shown);
  const inner = path.join(absolute, 'tasks');
  const isProject = !paths.some(isTaskFile) && (await isFolder(inner));
  const [root, name, found] = isProject
    ? [inner, path.posix.join(shown, 'tasks'), await listMarkdown(inner, shown)]
    : [absolute, shown, paths];
  const files: FolderFile[] = [];
  let length = 0;
  for (const relative of found) {
    // What was a file when the folder was listed may be a link by now.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const text = await readText(path.join(root, relative), `${name}/${relative}`, flags);
    length += text.length;
    if (length > MAX_FOLDER_BYTES) throw invalid(shown, [tooLarge(name, '64 MB of Markdown')]);
    files.push({ path: relative, text });
  }
  return { kind: 'folder', folder: name, files };
}

/** Reads no more than is allowed, whatever the file becomes meanwhile; a pipe in its place holds nobody up. */
async function readText(file: string, shown: string, flags: number): Promise<string> {
  const handle = await open(file, flags | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw notAFile(shown);
    const bytes = await readAtMost(handle, MAX_TEXT_BYTES);
    if (bytes === null) throw invalid(shown, [tooLarge(shown)]);
    return bytes.toString('utf8');
  } finally {
    await handle.close();
  }
}

/** Paths of all *.md below `root`, sorted; symbolic links are not followed, hidden folders not entered. */
async function listMarkdown(root: string, shown: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const relative = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && isEntered(entry)) folders.push(relative);
      if (entry.isFile() && /\.md$/i.test(entry.name)) found.push(relative);
      if (found.length > MAX_FILES) {
        throw new PlanqError(
          'plan_invalid',
          `cannot read plan "${shown}": it holds more than ${MAX_FILES} Markdown files`,
        );
      }
    }
  }
  return found.sort();
}

function isEntered({ name }: Dirent): boolean {
  return !name.startsWith('.') && !SKIPPED.has(name);
}

async function isFolder(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => null))?.isDirectory() ?? false;
}

async function notFound(absolute: string, shown: string, error: unknown): Promise<PlanqError> {
  const isMissing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
  const reason = isMissing ? 'no such file or folder' : errorMessage(error);
  // The folder may be missing too; then there is nothing to suggest.
  const siblings = await readdir(path.dirname(absolute)).catch(() => []);
  const near = isMissing ? nearestWord(path.basename(absolute), siblings) : undefined;
  const hint = near === undefined ? {} : { hint: `did you mean "${path.join(path.dirname(shown), near)}"?` };
  return new PlanqError('plan_not_found', `cannot read plan "${shown}": ${reason}`, { ...hint, cause: error });
}

function invalid(shown: string, problems: readonly Problem[]): PlanqError {
  const mistakes = problems.filter(({ severity }) => severity !== 'note');
  const what = mistakes.length === 1 ? 'it has 1 mistake' : `it has ${mistakes.length} mistakes`;
  return new PlanqError('plan_invalid', `cannot use plan "${shown}": ${what}`, { facts: { problems } });
}

function notAFile(shown: string): PlanqError {
  return new PlanqError('plan_not_found', `cannot read plan "${shown}": it is no file`);
}

function tooLarge(file: string, limit = MAX_TEXT): Problem {
  const message = `cannot read "${file}": it is larger than ${limit}`;
  return { code: 'plan-too-large', severity: 'error', message, file };
}

function toShown(absolute: string, cwd: string): string {
  const relative = path.relative(cwd, absolute);
  return relative === '' ? '.' : relative.split(path.sep).join('/');
}
