/**
 * Success is what was verified, not what the agent said: declared outputs are there, are not empty, parse when they are
 * JSON, and lie where they may; then the task's own check command. A path is opened first and then compared with where it
 * really is, so that a link cannot lead outside between the look and the use.
 */
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { FileRef } from '../plan/plan.ts';
import { candidatePaths, exists, type TaskPaths } from '../producer/workspace.ts';
import { errorMessage } from '../runtime/errors.ts';
import { isInside } from '../runtime/files.ts';
import { hasMatch } from './find-match.ts';

/** A JSON output larger than this is not parsed; it exists and is not empty. */
const JSON_PARSE_LIMIT = 64 * 1024 * 1024;

export interface OutputFault {
  kind: 'missing' | 'empty' | 'invalid';
  /** As a person finds it: relative to the project where it lies inside. */
  path: string;
  detail?: string;
}

/** @returns what is wrong with the declared outputs; an empty list when all is well */
export async function verifyOutputs(paths: TaskPaths, outputs: readonly FileRef[]): Promise<OutputFault[]> {
  const faults: OutputFault[] = [];
  for (const output of outputs) {
    const fault = await verifyOutput(paths, output);
    if (fault !== null) faults.push(fault);
  }
  return faults;
}

async function verifyOutput(paths: TaskPaths, output: FileRef): Promise<OutputFault | null> {
  const [file = ''] = candidatePaths(paths, output);
  const shown = isInside(paths.projectDir, file) ? path.relative(paths.projectDir, file) : file;
  const fault = (kind: OutputFault['kind'], detail?: string): OutputFault => ({
    kind,
    path: output.directory ? `${shown}/` : shown,
    ...(detail === undefined ? {} : { detail }),
  });
  if (output.glob) return (await hasMatch(file)) ? null : fault('missing', 'no file matches');
  try {
    const real = await realpath(file);
    if (!(await liesInside(paths, real))) return fault('invalid', 'it leads outside the project');
    if (output.directory) {
      if (!(await lstat(real)).isDirectory()) return fault('invalid', 'it is not a directory');
      return (await readdir(real)).length === 0 ? fault('empty') : null;
    }
    return await verifyFile(file, real, fault);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? fault('missing')
      : fault('invalid', errorMessage(error));
  }
}

async function verifyFile(
  file: string,
  real: string,
  fault: (kind: OutputFault['kind'], detail?: string) => OutputFault,
): Promise<OutputFault | null> {
  // O_NONBLOCK: a FIFO with nobody at its other end must not hold the worker. O_NOFOLLOW: the real path has no link left.
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const info = await handle.stat();
    if (!info.isFile()) return fault('invalid', 'it is not a regular file');
    if (info.size === 0) return fault('empty');
    if (file.endsWith('.json') && info.size <= JSON_PARSE_LIMIT) {
      try {
        JSON.parse(await handle.readFile('utf8'));
      } catch (error) {
        return fault('invalid', `it is not JSON: ${errorMessage(error)}`);
      }
    }
    return null;
  } finally {
    await handle.close();
  }
}

async function liesInside(paths: TaskPaths, real: string): Promise<boolean> {
  for (const root of [paths.projectDir, paths.workspaceDir]) if (isInside(await realpath(root), real)) return true;
  return false;
}

/** The declared inputs that are not there, as the author wrote them. */
export async function findMissingInputs(paths: TaskPaths, inputs: readonly FileRef[]): Promise<string[]> {
  const missing: string[] = [];
  for (const input of inputs) {
    let found = false;
    for (const candidate of candidatePaths(paths, input)) {
      if (input.glob ? await hasMatch(candidate) : await exists(candidate)) {
        found = true;
        break;
      }
    }
    if (!found) missing.push(input.text);
  }
  return missing;
}

/** One sentence for the record: the kind of fault, then the paths. */
export function describeFaults(faults: readonly OutputFault[]): string {
  const words = { missing: 'Missing outputs', empty: 'Empty outputs', invalid: 'Invalid outputs' } as const;
  const parts = (['missing', 'empty', 'invalid'] as const).flatMap((kind) => {
    const own = faults.filter((fault) => fault.kind === kind);
    if (own.length === 0) return [];
    return [
      `${words[kind]}: ${own.map((fault) => (fault.detail === undefined ? fault.path : `${fault.path} (${fault.detail})`)).join(', ')}`,
    ];
  });
  return parts.join('; ');
}
