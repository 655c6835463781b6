/**
 * The files of a run, in the task protocol's layout: `outputs/<task>/`, `logs/<task>.log`, `pids/<task>.pid`,
 * `status/<task>.json`, and what an attempt is given in `attempts/<task>/`. Before an attempt, what an earlier one left
 * in the output folder is moved to `previous/`, so that a stale file never passes for a result.
 */
import { access, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { FileRef, Task } from '../plan/plan.ts';
import { toIso } from '../runtime/clock.ts';
import { makeFolder, makePrivateFolder, writeFileAtomic } from '../runtime/files.ts';
import { findRefusal } from '../runtime/open-inside.ts';

export interface TaskPaths {
  projectDir: string;
  workspaceDir: string;
  outputDir: string;
  logFile: string;
  pidFile: string;
  statusFile: string;
  handoffFile: string;
  promptFile: string;
  outputFile: string;
}

/** Where the files of one task of a run are. All absolute. @param workspace as stored with the run */
export function taskPaths(projectDir: string, workspace: string, taskId: string): TaskPaths {
  const root = path.resolve(projectDir, workspace);
  const attemptDir = path.join(root, 'attempts', taskId);
  return {
    projectDir,
    workspaceDir: root,
    outputDir: path.join(root, 'outputs', taskId),
    logFile: path.join(root, 'logs', `${taskId}.log`),
    pidFile: path.join(root, 'pids', `${taskId}.pid`),
    statusFile: path.join(root, 'status', `${taskId}.json`),
    handoffFile: path.join(attemptDir, 'handoff.json'),
    promptFile: path.join(attemptDir, 'prompt.md'),
    outputFile: path.join(attemptDir, 'output'),
  };
}

/** Folders made, old outputs moved aside, the prompt written, an empty PLANQ_OUTPUT file. */
export async function prepareAttempt(paths: TaskPaths, task: Task, run: string): Promise<void> {
  // The results are the user's, under the user's umask; all else is private. So the root must be made before what is in it.
  await makeFolder(paths.workspaceDir);
  const folders = [paths.logFile, paths.pidFile, paths.promptFile, paths.statusFile].map((file) => path.dirname(file));
  for (const folder of folders) await makeInside(paths.workspaceDir, folder, makePrivateFolder);
  await makeInside(paths.workspaceDir, paths.outputDir, makeFolder);
  await moveAside(paths, task.id);
  await startLog(paths, run);
  await makeFolder(paths.outputDir);
  // Replaced, not written into: an earlier attempt may have left links there.
  await writeFileAtomic(paths.promptFile, task.prompt);
  await writeFileAtomic(paths.outputFile, '');
}

/** Agents write in the workspace as well; a folder that one of them turned into a link to elsewhere is not used. */
async function makeInside(root: string, folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  await make(folder);
  const refusal = await findRefusal(folder, { roots: [root], kind: 'folder' });
  if (refusal !== null)
    throw new Error(`cannot use folder "${folder}": ${refusal.reason.replace('project', 'workspace')}`);
}

/** A run's attempts share one log; what another run wrote there is moved beside it. */
async function startLog(paths: TaskPaths, run: string): Promise<void> {
  if ((await readOwner(paths)) === run) return;
  await rename(paths.logFile, `${paths.logFile}.previous`).catch(() => undefined);
  await writeFileAtomic(path.join(path.dirname(paths.promptFile), 'run'), run);
}

/** The run that last had a task's folders; null when nobody has had them. */
export async function readOwner(paths: TaskPaths): Promise<string | null> {
  return readFile(path.join(path.dirname(paths.promptFile), 'run'), 'utf8').catch(() => null);
}

/** A new run begins in this workspace: the statuses and report of an earlier one would tell of what has not run yet. */
export async function shelveEarlierRun(projectDir: string, workspace: string): Promise<void> {
  const root = path.resolve(projectDir, workspace);
  const names = (await readdir(root).catch(() => [])).filter((name) =>
    /^(status|(undo-)?report\.(json|md))$/.test(name),
  );
  if (names.length === 0) return;
  const runs = path.join(root, 'previous', '.runs');
  const used = await readdir(runs).catch(() => []);
  const shelf = path.join(runs, String(nextNumber(used)));
  await makePrivateFolder(shelf);
  for (const name of names) await rename(path.join(root, name), path.join(shelf, name));
}

async function moveAside(paths: TaskPaths, taskId: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(paths.outputDir);
  } catch {
    // No such folder: this is the first attempt.
    return;
  }
  if (names.length === 0) return;
  const shelf = path.join(paths.workspaceDir, 'previous', taskId);
  await makePrivateFolder(shelf);
  const used = await readdir(shelf);
  await rename(paths.outputDir, path.join(shelf, String(nextNumber(used))));
}

function nextNumber(names: readonly string[]): number {
  return Math.max(0, ...names.map(Number).filter(Number.isInteger)) + 1;
}

/** The places where a declared file may be, in the order to look. Absolute. */
export function candidatePaths(paths: TaskPaths, file: FileRef): string[] {
  const roots = { project: paths.projectDir, workspace: paths.workspaceDir, output: paths.outputDir };
  return file.candidates.map((candidate) => path.join(roots[candidate.base], candidate.path));
}

/** Whether a file or folder is there and may be reached. Never throws. */
export async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}

/** What `status/<task>.json` says; the task protocol's field names. */
export interface StatusFile {
  task_id: string;
  status: 'running' | 'completed' | 'failed' | 'blocked';
  started_at?: string;
  completed_at?: string;
  agent_id?: string;
  outputs_validated?: boolean;
  duration_seconds?: number;
  exit_code?: number;
  error?: string;
  blocked_by?: string;
  blocked_by_all?: string[];
}

/** Replaces `status/<task>.json` in one step. @throws file system errors */
export async function writeStatus(paths: TaskPaths, status: StatusFile): Promise<void> {
  await writeFileAtomic(paths.statusFile, `${JSON.stringify(status)}\n`);
}

/** Removes `status/<task>.json`; no error when there is none. @throws other file system errors */
export async function removeStatus(paths: TaskPaths): Promise<void> {
  await rm(paths.statusFile, { force: true });
}

/** Epoch ms → the protocol's form, to the second. */
export function toStatusTime(at: number): string {
  return `${toIso(at).slice(0, 19)}Z`;
}
