/**
 * One task file's front matter → {@link DraftTask}.
 */
import { nearestWord } from '../../runtime/nearest.ts';
import type { Result } from '../../runtime/result.ts';
import { didYouMean, problem } from '../codes.ts';
import type { DraftTask } from '../draft.ts';
import { type PathMistake, readInput, readOutput } from '../paths.ts';
import type { FileRef, Task } from '../plan.ts';
import { DEFAULT_ATTEMPTS } from '../read-task.ts';
import {
  listOf,
  readEstimate,
  readMaster,
  readPhase,
  readPriority,
  readTimeout,
  readUndo,
  type TaskFile,
  textOf,
} from './protocol-fields.ts';

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
  'undo',
];

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
    // A folder may be called "-x"; as a word of a command it must not pass for an option.
    run: ['agent', 'run', shown.startsWith('-') ? `./${shown}` : shown],
    with: {},
    env: {},
    inputs: readPaths(file, 'inputs', (text) => readInput(text, id, path.split('/')[0]!)),
    outputs: readPaths(file, 'outputs', readOutput),
    check: null,
    takes: {},
    cpus: null,
    memoryBytes: null,
    priority: readPriority(file),
    estimate: readEstimate(file),
    timeoutMs: readTimeout(file),
    attempts: DEFAULT_ATTEMPTS,
    continueOnError: false,
    ...readUndo(file),
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
