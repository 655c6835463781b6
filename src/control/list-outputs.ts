/** The files that a run's tasks have left, with their sizes. Symbolic links are named, and not followed. */
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { TaskDefinition } from '../flows/definition.ts';
import { candidatePaths, taskPaths } from '../producer/workspace.ts';
import { findRefusal } from '../runtime/open-inside.ts';

export interface OutputFile {
  task: string;
  /** Relative to the project where it lies inside, else absolute. Forward slashes. */
  path: string;
  bytes: number;
}

const FILES_AT_MOST = 10_000;

/** What lies in the tasks' output folders, and what they declared elsewhere. At most 10,000 files. */
export async function listOutputs(
  projectDir: string,
  workspace: string,
  tasks: readonly TaskDefinition[],
): Promise<OutputFile[]> {
  const found = new Map<string, OutputFile>();
  for (const task of tasks) {
    const paths = taskPaths(projectDir, workspace, task.id);
    const declared = task.outputs.filter(({ glob }) => !glob).flatMap((output) => candidatePaths(paths, output));
    const roots = [projectDir, path.resolve(projectDir, workspace)];
    for (const start of [paths.outputDir, ...declared]) {
      // A link on the way would have files of elsewhere listed as this run's.
      if ((await findRefusal(path.dirname(start), { roots, kind: 'folder' })) !== null) continue;
      for await (const { file, bytes } of walk(start)) {
        if (found.size >= FILES_AT_MOST) return [...found.values()];
        found.set(file, { task: task.id, path: toShown(projectDir, file), bytes });
      }
    }
  }
  return [...found.values()];
}

async function* walk(start: string): AsyncGenerator<{ file: string; bytes: number }, void, void> {
  for (const left = [start]; left.length > 0; ) {
    const at = left.pop()!;
    // What is not there, or went away meanwhile, is no output.
    const stat = await lstat(at).catch(() => null);
    if (stat?.isDirectory()) {
      const names = await readdir(at).catch(() => []);
      left.push(...names.map((name) => path.join(at, name)).reverse());
    } else if (stat !== null) yield { file: at, bytes: stat.size };
  }
}

function toShown(projectDir: string, file: string): string {
  const relative = path.relative(projectDir, file);
  return (relative.startsWith('..') ? file : relative).split(path.sep).join('/');
}
