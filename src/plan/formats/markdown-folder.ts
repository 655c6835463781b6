/**
 * A folder of task files (the task protocol's format): `NN-phase/NN-task.md`, each with front matter. The files count, not
 * 00-TASK-GRAPH.md. Tasks wait only for the dependencies that they declare, so the barrier is `none`.
 */
import type { Problem } from '../../runtime/problem.ts';
import { err, ok, type Result } from '../../runtime/result.ts';
import { type Place, problem } from '../codes.ts';
import { type Draft, type DraftTask, noLimits, type TaskField } from '../draft.ts';
import { type FrontMatter, readFrontMatter } from './front-matter.ts';
import { readProtocolTask } from './protocol-task.ts';
import { compareGraph } from './task-graph.ts';

export interface FolderFile {
  /** Relative to the folder, forward slashes. */
  path: string;
  text: string;
}

/** The protocol's words for our fields. */
const FIELD_KEYS: Record<TaskField, string> = {
  id: 'task_id',
  needs: 'dependencies',
  inputs: 'inputs',
  outputs: 'outputs',
  takes: 'takes',
  estimate: 'estimated_duration',
  timeout: 'timeout',
  agent: 'agent',
  files: 'outputs',
  phase: 'phase',
};

/**
 * True for the path of a task file: below a folder named `NN-phase` (01 to 99), not README.md, TEMPLATE*.md or 00-*.
 * @param path relative to the tasks folder
 */
export function isTaskFile(path: string): boolean {
  const parts = path.split('/');
  const name = parts.at(-1)!;
  if (parts.length < 2 || !/^(?!00)\d\d-./.test(parts[0]!) || !/\.md$/i.test(name)) return false;
  return (
    !/^(?:readme\.md$|template)/i.test(name) && !parts.some((part) => part.startsWith('00-') || part.startsWith('.'))
  );
}

/**
 * Reads a folder of task files.
 * @param folder as the user gave it; part of every task's command and of messages
 */
export function readTaskFolder(folder: string, files: readonly FolderFile[]): Result<Draft, Problem[]> {
  const root = folder.replace(/\/+$/, '') || '/';
  const taskFiles = files.filter(({ path }) => isTaskFile(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (taskFiles.length === 0) {
    const hint = 'task files lie in folders named NN-<phase>, such as 01-analysis/01-first.md';
    return err([problem('no-tasks', `"${folder}" holds no task file`, { file: folder }, { hint })]);
  }
  const problems: Problem[] = [];
  const unreadable = new Set<string>();
  const tasks = taskFiles.flatMap((file) => {
    const shown = `${root}/${file.path}`;
    const read = readFrontMatter(file.text, shown);
    if (read.ok) return [readTaskFile(file.path, shown, read.value, problems)];
    problems.push(read.error);
    unreadable.add(file.path.replace(/\.md$/i, ''));
    return [];
  });
  if (tasks.length === 0) return err(problems);
  const graph = files.find(({ path }) => path === '00-TASK-GRAPH.md');
  if (graph !== undefined) problems.push(...compareGraph(graph.text, `${root}/${graph.path}`, tasks));
  return ok({ ...emptyDraft(root), tasks, unreadable, problems });
}

function readTaskFile(path: string, shown: string, matter: FrontMatter, problems: Problem[]): DraftTask {
  problems.push(...matter.problems);
  const place = (field: TaskField, entry?: number | string): Place => {
    const found = matter.fields.get(FIELD_KEYS[field]);
    const at = typeof entry === 'number' ? (found?.entries[entry] ?? found?.place) : found?.place;
    return at ?? { file: shown, line: 1, column: 1 };
  };
  return readProtocolTask({ path, shown, matter, place, problems });
}

function emptyDraft(folder: string): Omit<Draft, 'tasks' | 'unreadable' | 'problems'> {
  return {
    name: nameOf(folder),
    description: '',
    barrier: 'none',
    limits: noLimits(),
    source: { format: 'markdown', file: folder },
    stages: null,
    stagesAreBarriers: false,
    place: () => ({ file: folder }),
  };
}

/** The folder's name; a folder called `tasks` is named after the project that it is in. */
function nameOf(folder: string): string {
  const parts = folder.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  return (parts.at(-1) === 'tasks' ? parts.at(-2) : undefined) ?? parts.at(-1) ?? 'tasks';
}
