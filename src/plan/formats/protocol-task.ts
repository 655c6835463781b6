/**
 * One task file's front matter → {@link DraftTask}.
 */
import { parseDuration } from '../../runtime/duration.ts';
import { nearestWord } from '../../runtime/nearest.ts';
import type { Problem } from '../../runtime/problem.ts';
import type { Result } from '../../runtime/result.ts';
import { didYouMean, type Place, type ProblemCode, problem } from '../codes.ts';
import type { DraftTask, TaskField } from '../draft.ts';
import { parseEstimateText } from '../estimate-text.ts';
import { isName, stripPhaseNumber } from '../names.ts';
import { type PathMistake, readInput, readOutput } from '../paths.ts';
import type { Estimate, FileRef, Priority, Task } from '../plan.ts';
import { DEFAULT_ATTEMPTS } from '../read-task.ts';
import type { FrontMatter } from './front-matter.ts';

export interface TaskFile {
  /** Relative to the tasks folder. */
  path: string;
  /** As shown in messages, and as the agent is told. */
  shown: string;
  matter: FrontMatter;
  place(field: TaskField, entry?: number | string): Place;
  problems: Problem[];
}

const KEYS = [
  'task_id',
  'title',
  'phase',
  'estimated_duration',
  'complexity',
  'dependencies',
  'inputs',
  'outputs',
  'skills_required',
  'priority',
  'master',
  'timeout',
];
const PRIORITIES: readonly Priority[] = ['critical', 'high', 'medium', 'low'];

/** Reads a task. The front matter wins over the path; where they differ, `problems` gets a warning. */
export function readProtocolTask(file: TaskFile): DraftTask {
  const { path, shown, matter, place, problems } = file;
  noteUnknownKeys(file);
  const fromPath = path.replace(/\.md$/i, '');
  const id = textOf(matter, 'task_id') ?? fromPath;
  if (id !== fromPath) {
    problems.push(
      problem('task-id-differs', `"task_id" is "${id}", but the file is "${fromPath}"`, place('id'), {
        severity: 'warning',
      }),
    );
  }
  const task: Task = {
    id,
    title: textOf(matter, 'title') ?? id,
    prompt: matter.body,
    master: readMaster(file),
    phase: readPhase(file),
    needs: [],
    agent: 'command',
    run: ['agent', 'run', shown],
    with: {},
    env: {},
    inputs: readPaths(file, 'inputs', (text) => readInput(text, id, path.split('/')[0]!)),
    outputs: readPaths(file, 'outputs', readOutput),
    check: null,
    takes: {},
    priority: readPriority(file),
    estimate: readEstimate(file),
    timeoutMs: readTimeout(file),
    attempts: DEFAULT_ATTEMPTS,
    continueOnError: false,
    matrix: {},
    source: { file: shown, line: 1, column: 1 },
  };
  const needs = listOf(matter, 'dependencies').map((need, index) => ({
    task: need,
    when: 'success' as const,
    place: place('needs', index),
  }));
  return { task, name: id, needs, files: [], damaged: false, place };
}

function readMaster(file: TaskFile): string {
  const master = textOf(file.matter, 'master') ?? 'development';
  if (!isName(master))
    report(file, 'bad-value', 'master', `master "${master}" must be lower-case letters, digits, "-" and "_"`);
  return master;
}

function readPhase(file: TaskFile): string {
  const folder = stripPhaseNumber(file.path.split('/')[0]!);
  const phase = stripPhaseNumber(textOf(file.matter, 'phase') ?? folder);
  if (!isName(phase))
    report(file, 'bad-value', 'phase', `phase "${phase}" must be lower-case letters, digits, "-" and "_"`);
  else if (phase !== folder)
    report(file, 'phase-differs', 'phase', `"phase" is "${phase}", but the folder is of "${folder}"`, 'warning');
  return phase;
}

function readPriority(file: TaskFile): Priority {
  const word = textOf(file.matter, 'priority')?.toLowerCase() ?? 'medium';
  const known = PRIORITIES.find((priority) => priority === word);
  if (known === undefined) {
    const place = file.matter.fields.get('priority')?.place ?? {};
    const hint = didYouMean(nearestWord(word, PRIORITIES));
    file.problems.push(problem('bad-value', `priority "${word}" is none of ${PRIORITIES.join(', ')}`, place, { hint }));
  }
  return known ?? 'medium';
}

function readEstimate(file: TaskFile): Estimate | null {
  const text = textOf(file.matter, 'estimated_duration');
  if (text === undefined) return null;
  const read = parseEstimateText(text);
  if (read.ok) return read.value;
  report(file, 'bad-value', 'estimated_duration', `"estimated_duration" ${read.error}`);
  return null;
}

function readTimeout(file: TaskFile): number | null {
  const text = textOf(file.matter, 'timeout');
  if (text === undefined) return null;
  const read = parseDuration(text);
  if (read.ok && read.value > 0) return read.value;
  report(file, 'bad-value', 'timeout', read.ok ? '"timeout" must be more than nothing' : `"timeout" ${read.error}`);
  return null;
}

function readPaths(
  file: TaskFile,
  field: 'inputs' | 'outputs',
  read: (text: string) => Result<FileRef, PathMistake>,
): FileRef[] {
  return listOf(file.matter, field).flatMap((text, index) => {
    const result = read(text);
    if (result.ok) return [result.value];
    const { code, message } = result.error;
    file.problems.push(
      problem(code, `${field === 'inputs' ? 'input' : 'output'} "${text}" ${message}`, file.place(field, index)),
    );
    return [];
  });
}

function noteUnknownKeys(file: TaskFile): void {
  for (const [key, { place }] of file.matter.fields) {
    if (KEYS.includes(key)) continue;
    file.problems.push(
      problem('unknown-key', `ignored the unknown key "${key}"`, place, {
        severity: 'note',
        hint: didYouMean(nearestWord(key, KEYS)),
      }),
    );
  }
}

function report(
  file: TaskFile,
  code: ProblemCode,
  key: string,
  message: string,
  severity: Problem['severity'] = 'error',
): void {
  file.problems.push(problem(code, message, file.matter.fields.get(key)?.place ?? { file: file.shown }, { severity }));
}

function textOf(matter: FrontMatter, key: string): string | undefined {
  const value = matter.fields.get(key)?.value;
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

function listOf(matter: FrontMatter, key: string): string[] {
  const value = matter.fields.get(key)?.value ?? [];
  return (Array.isArray(value) ? value : [value]).map((text) => text.trim());
}
