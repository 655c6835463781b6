/**
 * A part of a plan: the tasks of one phase.
 */
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';
import { err, ok, type Result } from '../runtime/result.ts';
import { didYouMean, problem } from './codes.ts';
import { stripPhaseNumber } from './names.ts';
import type { Plan } from './plan.ts';

export interface Selection {
  plan: Plan;
  /** Needs onto tasks of other phases: they are taken as met, and the caller says so. */
  dropped: { task: string; need: string }[];
}

/**
 * Keeps the tasks of one phase.
 * @param phase with or without its number: `analysis`, `01-analysis`
 * @returns the smaller plan, or the problem `unknown-phase`
 */
export function selectPhase(plan: Plan, phase: string): Result<Selection, Problem> {
  const wanted = stripPhaseNumber(phase);
  const kept = plan.tasks.filter((task) => task.phase === wanted);
  if (kept.length === 0) return err(unknownPhase(plan, phase));
  const ids = new Set(kept.map(({ id }) => id));
  const dropped = kept.flatMap(({ id, needs }) =>
    needs.filter((need) => !ids.has(need.task)).map((need) => ({ task: id, need: need.task })),
  );
  const tasks = kept.map((task) => ({ ...task, needs: task.needs.filter((need) => ids.has(need.task)) }));
  const stages =
    plan.stages?.map((stage) => stage.filter((id) => ids.has(id))).filter((stage) => stage.length > 0) ?? null;
  return ok({ plan: { ...plan, tasks, stages }, dropped });
}

function unknownPhase(plan: Plan, phase: string): Problem {
  const known = [...new Set(plan.tasks.map((task) => task.phase))];
  const hint = didYouMean(nearestWord(stripPhaseNumber(phase), known)) ?? `it has ${known.join(', ')}`;
  return problem('unknown-phase', `the plan has no task of phase "${phase}"`, { file: plan.source.file }, { hint });
}
