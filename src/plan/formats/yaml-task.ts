/**
 * The tasks of a YAML or JSON plan → {@link DraftTask}s, one for each variant of a matrix.
 */
import type { Problem } from '../../runtime/problem.ts';
import { ok } from '../../runtime/result.ts';
import { type Place, type ProblemCode, problem } from '../codes.ts';
import type { DraftNeed, DraftTask, TaskField } from '../draft.ts';
import type { Path } from '../issues.ts';
import { expandMatrix, MAX_VARIANTS, variantId } from '../matrix.ts';
import { findMatrixMistakes, substituteMatrix } from '../matrix-text.ts';
import type { SourcePlace } from '../plan.ts';
import { readTask } from '../read-task.ts';
import { MAX_TASKS, type RawPlan } from '../schema.ts';
import type { RawTask } from '../schema-task.ts';
import type { ReadDocument } from './document.ts';

/** What all tasks of one document are read with. */
export interface Reading {
  document: ReadDocument;
  raw: RawPlan;
  file: string;
  problems: Problem[];
  /** Tasks of which a part was wrong. */
  damaged: ReadonlySet<string>;
}

/** Reads all tasks in document order. Stops with `too-many-tasks` before a few matrices fill the memory. */
export function readTasks(reading: Reading): DraftTask[] {
  const tasks: DraftTask[] = [];
  for (const [name, raw] of Object.entries(reading.raw.tasks)) {
    tasks.push(...readVariants(name, raw, reading));
    if (tasks.length > MAX_TASKS) break;
  }
  // Keys such as "1" come first in every object, wherever they stand in the document.
  return tasks.sort(({ task: { source: a } }, { task: { source: b } }) => a.line - b.line || a.column - b.column);
}

/** One task, or one for each combination of its matrix. */
function readVariants(name: string, raw: RawTask, reading: Reading): DraftTask[] {
  const at = (...path: Path) => reading.document.locate(['tasks', name, ...path]);
  const expanded = raw.matrix === undefined ? ok([{}]) : expandMatrix(raw.matrix);
  if (!expanded.ok) {
    const message = expanded.error === 'empty-matrix' ? 'leaves no variant' : `has more than ${MAX_VARIANTS} variants`;
    reading.problems.push(problem(expanded.error, `the matrix of task "${name}" ${message}`, at('matrix')));
  }
  const combinations = expanded.ok ? expanded.value : [{}];
  const keys = new Set(combinations.flatMap((one) => Object.keys(one)));
  for (const { code, field, message, hint } of findMatrixMistakes(raw, keys)) {
    reading.problems.push(problem(code, `${message} (task "${name}")`, at(field), { hint }));
  }
  const ids = new Map<string, number>();
  return combinations.map((combination, index) => {
    const id = raw.matrix === undefined ? name : uniqueId(variantId(name, combination), ids);
    return readVariant({ name, id, raw, combination, isFirst: index === 0 }, reading);
  });
}

interface Variant {
  name: string;
  id: string;
  raw: RawTask;
  combination: Record<string, string>;
  /** Mistakes that all variants share are told once. */
  isFirst: boolean;
}

function readVariant({ name, id, raw, combination, isFirst }: Variant, reading: Reading): DraftTask {
  const { document, problems, file } = reading;
  const start = document.locate(['tasks', name], 'key');
  const source: SourcePlace = { file, line: start.line ?? 1, column: start.column ?? 1 };
  const substituted = raw.matrix === undefined ? raw : substituteMatrix(raw, combination);
  const report = (code: ProblemCode, field: string, index: number | undefined, message: string): void => {
    if (isFirst)
      problems.push(
        problem(code, message, document.locate(['tasks', name, field, ...(index === undefined ? [] : [index])])),
      );
  };
  const { defaults = {}, env: planEnv = {}, secrets: planSecrets = [] } = reading.raw;
  return {
    task: readTask(id, substituted, { defaults, planEnv, planSecrets, combination, source, report }),
    name,
    needs: readNeeds(name, raw, document),
    files: raw.files ?? [],
    damaged: reading.damaged.has(name),
    place: (field, entry) => placeOfField(document, name, field, entry),
  };
}

function placeOfField(document: ReadDocument, name: string, field: TaskField, entry?: number | string): Place {
  if (field === 'id') return document.locate(['tasks', name], 'key');
  return document.locate(
    ['tasks', name, field, ...(entry === undefined ? [] : [entry])],
    field === 'takes' ? 'key' : 'value',
  );
}

function readNeeds(name: string, raw: RawTask, document: ReadDocument): DraftNeed[] {
  const { needs = [] } = raw;
  const isList = Array.isArray(needs);
  return (isList ? needs : [needs]).map((need, index) => {
    const place = document.locate(['tasks', name, 'needs', ...(isList ? [index] : [])]);
    return typeof need === 'string'
      ? { task: need, when: 'success', place }
      : { task: need.task, when: need.when ?? 'success', place };
  });
}

/** Two combinations can differ only in characters that an id cannot have. */
function uniqueId(id: string, taken: Map<string, number>): string {
  const count = (taken.get(id) ?? 0) + 1;
  taken.set(id, count);
  return count === 1 ? id : `${id}-${count}`;
}
