/**
 * One subtask of an orchestration file → {@link DraftTask}.
 */
import { z } from 'zod';
import { nearestWord } from '../../runtime/nearest.ts';
import type { Problem } from '../../runtime/problem.ts';
import { didYouMean, problem } from '../codes.ts';
import type { DraftTask, TaskField } from '../draft.ts';
import { parseEstimateText, parseTokens } from '../estimate-text.ts';
import { isName, isTaskId } from '../names.ts';
import { DEFAULT_ESTIMATE_MINUTES, type Estimate, type Task } from '../plan.ts';
import { DEFAULT_ATTEMPTS } from '../read-task.ts';
import { priority } from '../schema-task.ts';
import type { ReadDocument } from './document.ts';

const amount = z.union([z.number().nonnegative(), z.string()], {
  error: 'must be a number or text such as "20-30 minutes"',
});

export const subtaskSchema = z.looseObject({
  subtask_id: z.string({ error: 'must be text' }),
  title: z.string().optional(),
  description: z.string().optional(),
  assigned_to: z.string().optional(),
  dependencies: z.array(z.string()).optional(),
  estimated_duration_minutes: amount.optional(),
  estimated_duration: amount.optional(),
  estimated_tokens: amount.optional(),
  files_affected: z.array(z.string()).optional(),
  success_criteria: z.union([z.string(), z.array(z.string())], { error: 'must be text or a list of texts' }).optional(),
  priority: priority.optional(),
});

type RawSubtask = z.infer<typeof subtaskSchema>;

/** Keys that are read, and keys that only say what was; all others are noted. */
const KEYS = [...Object.keys(subtaskSchema.shape), 'parent_task_id', 'worker_type', 'status', 'created_at'];

/** The format's words for our fields. */
const FIELD_KEYS: Partial<Record<TaskField, string>> = {
  id: 'subtask_id',
  needs: 'dependencies',
  files: 'files_affected',
  estimate: 'estimated_duration_minutes',
};

export interface SubtaskContext {
  document: ReadDocument;
  file: string;
  problems: Problem[];
}

/** Reads the subtask at `index`. What is wrong goes to the context's problems. */
export function readSubtask(raw: RawSubtask, index: number, context: SubtaskContext): DraftTask {
  const { document, problems } = context;
  const place: DraftTask['place'] = (field, entry) => document.locate(placePath(raw, index, field, entry));
  for (const key of Object.keys(raw).filter((word) => !KEYS.includes(word))) {
    const hint = didYouMean(nearestWord(key, KEYS));
    problems.push(
      problem('unknown-key', `ignored the unknown key "${key}"`, document.locate(['subtasks', index, key], 'key'), {
        severity: 'note',
        hint,
      }),
    );
  }
  const needs = (raw.dependencies ?? []).map((task, at) => ({
    task,
    when: 'success' as const,
    place: place('needs', at),
  }));
  const task = toTask(raw, index, context, place);
  return { task, name: task.id, needs, files: raw.files_affected ?? [], damaged: !isTaskId(task.id), place };
}

function toTask(raw: RawSubtask, index: number, context: SubtaskContext, place: DraftTask['place']): Task {
  const at = place('id');
  return {
    id: raw.subtask_id,
    title: raw.title ?? raw.subtask_id,
    prompt: toPrompt(raw),
    master: readMaster(raw, index, context),
    phase: 'implementation',
    needs: [],
    agent: null,
    run: null,
    with: {},
    env: {},
    inputs: [],
    outputs: [],
    check: null,
    takes: {},
    cpus: null,
    memoryBytes: null,
    priority: raw.priority ?? 'medium',
    estimate: readEstimate(raw, context, place),
    timeoutMs: null,
    attempts: DEFAULT_ATTEMPTS,
    continueOnError: false,
    matrix: {},
    source: { file: context.file, line: at.line ?? 1, column: at.column ?? 1 },
  };
}

function placePath(raw: RawSubtask, index: number, field: TaskField, entry?: number | string): (string | number)[] {
  const word =
    field === 'estimate' && raw.estimated_duration_minutes === undefined
      ? 'estimated_duration'
      : (FIELD_KEYS[field] ?? 'subtask_id');
  return ['subtasks', index, word, ...(entry === undefined ? [] : [entry])];
}

function toPrompt({ description, success_criteria: criteria }: RawSubtask): string {
  const goal = Array.isArray(criteria) ? criteria.map((one) => `- ${one}`).join('\n') : criteria;
  return [description, goal === undefined || goal === '' ? undefined : `Success criteria:\n${goal}`]
    .filter((part) => part !== undefined)
    .join('\n\n');
}

function readMaster(raw: RawSubtask, index: number, { document, problems }: SubtaskContext): string {
  const master = (raw.assigned_to ?? 'development').toLowerCase();
  if (isName(master)) return master;
  problems.push(
    problem(
      'bad-value',
      `"assigned_to" of "${raw.subtask_id}" is "${raw.assigned_to}", which cannot name a master`,
      document.locate(['subtasks', index, 'assigned_to']),
    ),
  );
  return 'development';
}

function readEstimate(raw: RawSubtask, { problems }: SubtaskContext, place: DraftTask['place']): Estimate | null {
  const duration = raw.estimated_duration_minutes ?? raw.estimated_duration;
  const tokens = raw.estimated_tokens === undefined ? undefined : parseTokens(raw.estimated_tokens);
  const extra = tokens === undefined ? {} : { tokens };
  if (duration === undefined) {
    return tokens === undefined
      ? null
      : { minMinutes: DEFAULT_ESTIMATE_MINUTES, maxMinutes: DEFAULT_ESTIMATE_MINUTES, ...extra };
  }
  const read = parseEstimateText(String(duration), 1);
  if (read.ok) return { ...read.value, ...extra };
  problems.push(problem('bad-value', `the estimate of "${raw.subtask_id}" ${read.error}`, place('estimate')));
  return null;
}
