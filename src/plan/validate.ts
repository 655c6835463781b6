/**
 * Draft → valid plan: a list of checks over one value. Each check is a small file; all run, so that all mistakes are told.
 */
import type { Problem } from '../runtime/problem.ts';
import { checkAgents, withAgent } from './check-agents.ts';
import { checkApprovals } from './check-approvals.ts';
import { checkCycles } from './check-cycles.ts';
import { checkIds } from './check-ids.ts';
import { checkInputs, linkInputs } from './check-inputs.ts';
import { checkPhases } from './check-phases.ts';
import { checkSizes } from './check-sizes.ts';
import { checkStages, resolveStages } from './check-stages.ts';
import { checkLimits, checkTakes } from './check-takes.ts';
import type { Draft } from './draft.ts';
import type { Plan } from './plan.ts';
import { resolveNeeds } from './resolve-needs.ts';
import type { ValidateOptions } from './validate-options.ts';

/** A plan and what was found in it. The plan is valid when no problem is an error. */
export interface Validated {
  plan: Plan;
  problems: Problem[];
}

/** Checks a draft as a whole. */
export function validate(draft: Draft, options: ValidateOptions): Validated {
  const needs = resolveNeeds(draft);
  const stages = resolveStages(draft);
  const plan: Plan = {
    name: draft.name,
    description: draft.description,
    barrier: options.barrier ?? draft.barrier,
    stages: stages.stages,
    ...(draft.onFailure === undefined ? {} : { onFailure: draft.onFailure }),
    ...(draft.approvals === undefined ? {} : { approvals: draft.approvals }),
    limits: draft.limits,
    tasks: linkInputs(needs.tasks.map((task) => withAgent(task, options))),
    source: draft.source,
  };
  const unordered = [...checkIds(draft), ...checkCycles(plan, draft), ...needs.problems, ...stages.problems];
  const problems = [
    ...draft.problems,
    ...unordered,
    ...checkAgents(draft, options),
    ...checkTakes(draft, options),
    ...checkLimits(draft, options),
  ];
  // Levels and ancestors mean something only in a graph whose parts exist and have no circle.
  const isOrdered = !unordered.some(({ severity }) => severity === 'error');
  const ordered = isOrdered
    ? [
        ...checkStages(plan, draft),
        ...checkPhases(plan, draft),
        ...checkApprovals(plan, draft),
        ...checkInputs(plan, draft),
      ]
    : [];
  return { plan, problems: [...problems, ...ordered, ...checkSizes(draft)] };
}
