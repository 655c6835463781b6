/**
 * Which tasks declare the file at a place: by its name, below a declared folder, or by a glob.
 */
import { matchGlob } from './glob.ts';
import { type Candidate, placeKey } from './paths.ts';
import type { Task } from './plan.ts';

/** Finds the tasks (by index) that declare what an input candidate names. */
export type FindProducers = (candidate: Candidate, isGlobInput: boolean) => number[];

/** Indexes the outputs of all tasks. */
export function indexOutputs(tasks: readonly Task[]): FindProducers {
  const exact = new Map<string, number[]>();
  const folders = new Map<string, number[]>();
  const globs: [string, number][] = [];
  for (const [index, task] of tasks.entries()) {
    for (const output of task.outputs) {
      const key = placeKey(output.candidates[0]!, task.id);
      if (output.glob) globs.push([key, index]);
      else push(exact, key, index);
      if (output.directory && !output.glob) push(folders, key, index);
    }
  }
  return (candidate, isGlobInput) => {
    const key = placeKey(candidate, '');
    const found = isGlobInput
      ? matching(exact, key)
      : [...(exact.get(key) ?? []), ...globs.filter(([glob]) => matchGlob(glob, key)).map(([, index]) => index)];
    return [...found, ...foldersAbove(key).flatMap((folder) => folders.get(folder) ?? [])];
  };
}

function matching(exact: ReadonlyMap<string, number[]>, pattern: string): number[] {
  return [...exact].filter(([key]) => matchGlob(pattern, key)).flatMap(([, indexes]) => indexes);
}

function foldersAbove(key: string): string[] {
  const parts = key.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function push(map: Map<string, number[]>, key: string, index: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [index]);
  else list.push(index);
}
