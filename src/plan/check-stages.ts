/**
 * Stages as the author lists them: every task once, nothing needed from its own stage or a later one, not too many.
 */
import type { Problem } from '../runtime/problem.ts';
import { type Place, problem } from './codes.ts';
import type { Draft, DraftStage } from './draft.ts';
import type { KnownOrder } from './known-order.ts';
import type { Plan } from './plan.ts';
import { taskNames } from './resolve-needs.ts';
import { MAX_STAGES, stageNumbers, stagesOf } from './stages.ts';
import { createSuggester } from './suggest.ts';

/** Names → ids; unknown, doubled and forgotten tasks are reported. Empty stages are dropped. */
export function resolveStages(draft: Draft): { stages: string[][] | null; problems: Problem[] } {
  if (draft.stages === null) return { stages: null, problems: [] };
  const names = taskNames(draft);
  const suggest = createSuggester(names.keys());
  const problems: Problem[] = [];
  const placed = new Set<string>();
  const toIds = ({ task, place }: DraftStage['tasks'][number]): string[] => {
    const ids = names.get(task);
    if (ids === undefined && draft.unreadable.has(task)) return [];
    if (ids === undefined) {
      const message = `the stages name "${task}", which is no task of this plan`;
      problems.push(problem('unknown-stage-task', message, place, { hint: suggest(task) }));
      return [];
    }
    const fresh = ids.filter((id) => !placed.has(id));
    if (fresh.length < ids.length)
      problems.push(problem('stage-duplicate-task', `the stages name "${task}" twice`, place));
    for (const id of fresh) placed.add(id);
    return fresh;
  };
  const stages = draft.stages.map(({ tasks }) => tasks.flatMap(toIds));
  problems.push(...forgotten(draft, placed));
  return { stages: stages.filter((stage) => stage.length > 0), problems };
}

function forgotten(draft: Draft, placed: ReadonlySet<string>): Problem[] {
  const names = new Set(draft.tasks.filter(({ task }) => !placed.has(task.id)).map(({ name }) => name));
  return [...names].map((name) =>
    problem('stage-missing-task', `the stages leave task "${name}" out`, draft.place('stages')),
  );
}

/** Checks the order of stages, and how many wait for each other. */
export function checkStages(plan: Plan, draft: Draft, order: KnownOrder): Problem[] {
  if (!order.hasStages) return [];
  // Levels follow from the needs, and so never contradict them.
  return [...(plan.stages === null ? [] : stageOrder(plan, draft, order)), ...tooMany(plan, draft)];
}

function stageOrder(plan: Plan, draft: Draft, { isInCycle }: KnownOrder): Problem[] {
  const numbers = stageNumbers(plan);
  const indexes = new Map(plan.tasks.map(({ id }, index) => [id, index]));
  return plan.tasks.flatMap((task, index) =>
    task.needs
      .filter(({ task: id }) => numbers[indexes.get(id)!]! >= numbers[index]! && !isInCycle(index, indexes.get(id)!))
      .map((need) => {
        const other = numbers[indexes.get(need.task)!]!;
        const where = other === numbers[index] ? `of the same stage ${other}` : `of the later stage ${other}`;
        return problem(
          'stage-order',
          `task "${task.id}" in stage ${numbers[index]} needs "${need.task}" ${where}`,
          draft.tasks[index]!.place('needs'),
        );
      }),
  );
}

function tooMany(plan: Plan, draft: Draft): Problem[] {
  const stages = stagesOf(plan);
  const count = stages.length;
  if (count <= MAX_STAGES || (plan.barrier !== 'stage' && !draft.stagesAreBarriers)) return [];
  const message = `the plan has ${count} stages that wait for each other, at most ${MAX_STAGES} are allowed`;
  const hint = draft.stagesAreBarriers
    ? 'split the task'
    : 'split the plan, or set "barrier: none" so that only needs count';
  return [problem('too-many-stages', message, placeOfTask(stages[MAX_STAGES]![0]!, draft), { hint })];
}

/** Where the stages list the task, or else where it is defined. */
function placeOfTask(id: string, draft: Draft): Place {
  const one = draft.tasks.find(({ task }) => task.id === id)!;
  const listed = draft.stages?.flatMap(({ tasks }) => tasks).find(({ task }) => task === id || task === one.name);
  return listed?.place ?? one.place('id');
}
