/**
 * Success is what was verified, not what the agent said: declared outputs are there, are not empty, parse when they are
 * JSON, and lie where they may; then the task's own check command. Paths are opened by `runtime/open-inside.ts` alone, so
 * that no link leads outside between the look and the use.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { FileRef } from '../plan/plan.ts';
import { candidatePaths, type TaskPaths } from '../producer/workspace.ts';
import { errorMessage } from '../runtime/errors.ts';
import { isInside } from '../runtime/files.ts';
import { findRefusal, type Opened, openInside, readAtMost } from '../runtime/open-inside.ts';
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
  const roots = rootsOf(paths);
  if (output.glob)
    return (await hasMatch(file, { roots, kind: 'any', single: true })) ? null : fault('missing', 'no file matches');
  const opened = await openInside(file, { roots, kind: output.directory ? 'folder' : 'file', single: true });
  if (!opened.ok) return opened.error.kind === 'missing' ? fault('missing') : fault('invalid', opened.error.reason);
  try {
    const [kind, detail] = output.directory ? await lookAtFolder(opened.value) : await lookAtFile(opened.value, file);
    return kind === null ? null : fault(kind, detail);
  } catch (error) {
    return fault('invalid', errorMessage(error));
  } finally {
    await opened.value.handle.close();
  }
}

type Look = [kind: OutputFault['kind'] | null, detail?: string];

async function lookAtFolder({ through }: Opened): Promise<Look> {
  return (await readdir(through)).length === 0 ? ['empty'] : [null];
}

async function lookAtFile({ handle, stats }: Opened, file: string): Promise<Look> {
  if (stats.size === 0) return ['empty'];
  if (!file.endsWith('.json') || stats.size > JSON_PARSE_LIMIT) return [null];
  const bytes = await readAtMost(handle, JSON_PARSE_LIMIT);
  if (bytes === null) return ['invalid', 'it grew while it was read'];
  try {
    JSON.parse(bytes.toString('utf8'));
    return [null];
  } catch (error) {
    return ['invalid', `it is not JSON: ${errorMessage(error)}`];
  }
}

function rootsOf({ projectDir, workspaceDir }: TaskPaths): string[] {
  return [projectDir, workspaceDir];
}

/** The declared inputs that are not there or may not be read, as the author wrote them, with the reason for the latter. */
export async function findMissingInputs(paths: TaskPaths, inputs: readonly FileRef[]): Promise<string[]> {
  const missing: string[] = [];
  for (const input of inputs) {
    const lack = await findLack(paths, input);
    if (lack !== null) missing.push(lack);
  }
  return missing;
}

async function findLack(paths: TaskPaths, input: FileRef): Promise<string | null> {
  const wanted = { roots: rootsOf(paths), kind: 'any' } as const;
  let lack = input.text;
  for (const candidate of candidatePaths(paths, input)) {
    if (input.glob) {
      if (await hasMatch(candidate, wanted)) return null;
      continue;
    }
    const refusal = await findRefusal(candidate, wanted);
    if (refusal === null) return null;
    if (refusal.kind === 'refused') lack = `${input.text} (${refusal.reason})`;
  }
  return lack;
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
