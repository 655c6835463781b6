/**
 * Orchestration files (commit-relay's format): one task cut into subtasks, with an execution plan whose stages wait for
 * each other. Both spellings of estimates that are in use are read; unknown keys are noted, since others write these files.
 */
import { z } from 'zod';
import { nearestWord } from '../../runtime/nearest.ts';
import type { Problem } from '../../runtime/problem.ts';
import { err, ok, type Result } from '../../runtime/result.ts';
import { didYouMean, problem } from '../codes.ts';
import { type Draft, type DraftStage, noLimits } from '../draft.ts';
import { toMistakes, toProblems } from '../issues.ts';
import type { ReadDocument } from './document.ts';
import { readSubtask, subtaskSchema } from './subtask.ts';

const PLAN_KEYS = [
  'orchestration_id',
  'parent_task_id',
  'task_title',
  'complexity',
  'created_at',
  'status',
  'subtasks',
  'execution_plan',
  'resource_estimate',
  'progress',
];

const orchestrationSchema = z.looseObject({
  orchestration_id: z.string().optional(),
  parent_task_id: z.string().optional(),
  task_title: z.string().optional(),
  subtasks: z.array(subtaskSchema).min(1, { error: 'must have at least one subtask' }),
  execution_plan: z.record(z.string(), z.array(z.string(), { error: 'must be a list of subtask ids' })).optional(),
});

type RawOrchestration = z.infer<typeof orchestrationSchema>;

/** True when a document looks like an orchestration: it has subtasks, or an orchestration id and no tasks. */
export function isOrchestration(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    Object.hasOwn(value, 'subtasks') || (Object.hasOwn(value, 'orchestration_id') && !Object.hasOwn(value, 'tasks'))
  );
}

/** Reads an orchestration out of a parsed document. */
export function readOrchestration(document: ReadDocument, file: string): Result<Draft, Problem[]> {
  const parsed = orchestrationSchema.safeParse(document.value);
  if (!parsed.success) {
    return err([
      ...document.problems,
      ...toProblems(toMistakes(parsed.error.issues, document.value), (path) => document.locate(path)),
    ]);
  }
  const raw = parsed.data;
  const problems = [...document.problems, ...unknownKeys(raw, document)];
  return ok({
    name: raw.task_title ?? raw.orchestration_id ?? 'orchestration',
    description: raw.parent_task_id === undefined ? '' : `task ${raw.parent_task_id}`,
    barrier: 'stage',
    limits: noLimits(),
    source: { format: 'orchestration', file },
    tasks: raw.subtasks.map((subtask, index) => readSubtask(subtask, index, { document, file, problems })),
    stages: readStages(raw, document, problems),
    stagesAreBarriers: true,
    unreadable: new Set(),
    place: (first, ...rest) =>
      document.locate(
        first === 'tasks' ? ['subtasks', ...rest] : first === 'stages' ? ['execution_plan', ...rest] : [],
      ),
    problems,
  });
}

/** `stage_1`, `stage_2` … in the order of their numbers, whatever the order in the file. */
function readStages(raw: RawOrchestration, document: ReadDocument, problems: Problem[]): DraftStage[] | null {
  if (raw.execution_plan === undefined) return null;
  const numbered: [number, DraftStage][] = [];
  for (const [key, ids] of Object.entries(raw.execution_plan)) {
    const number = /^stage_(\d+)$/.exec(key)?.[1];
    if (number === undefined) {
      problems.push(
        problem(
          'bad-stage-name',
          `"${key}" is no stage: write "stage_1", "stage_2" and so on`,
          document.locate(['execution_plan', key], 'key'),
        ),
      );
    }
    const tasks = ids.map((task, index) => ({ task, place: document.locate(['execution_plan', key, index]) }));
    numbered.push([Number(number ?? Number.MAX_SAFE_INTEGER), { tasks }]);
  }
  return numbered.sort(([a], [b]) => a - b).map(([, stage]) => stage);
}

function unknownKeys(raw: RawOrchestration, document: ReadDocument): Problem[] {
  return Object.keys(raw)
    .filter((key) => !PLAN_KEYS.includes(key))
    .map((key) =>
      problem('unknown-key', `ignored the unknown key "${key}"`, document.locate([key], 'key'), {
        severity: 'note',
        hint: didYouMean(nearestWord(key, PLAN_KEYS)),
      }),
    );
}
