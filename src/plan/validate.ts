/**
 * Draft → valid plan: a list of checks over one value. Each check is a small file; all run, so that all mistakes are told.
 */
import type { Problem } from '../runtime/problem.ts';
import { checkAgents, withAgent } from './check-agents.ts';
import { checkApprovals } from './check-approvals.ts';
import { checkCycles, findPlanCycles } from './check-cycles.ts';
import { checkIds } from './check-ids.ts';
import { checkInputs, linkInputs } from './check-inputs.ts';
import { checkPhases } from './check-phases.ts';
import { checkSizes } from './check-sizes.ts';
import { checkStages, resolveStages } from './check-stages.ts';
import { checkLimits, checkTakes } from './check-takes.ts';
import type { Draft } from './draft.ts';
import type { KnownOrder } from './known-order.ts';
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
  const ids = checkIds(draft);
  const cycles = findPlanCycles(plan);
  const problems = [
    ...draft.problems,
    ...ids,
    ...checkCycles(plan, draft, cycles),
    ...needs.problems,
    ...stages.problems,
    ...checkAgents(draft, options),
    ...checkTakes(draft, options),
    ...checkLimits(draft, options),
  ];
  // Which tasks are meant is not known where two have one id.
  if (hasErrors(ids)) return { plan, problems: [...problems, ...checkSizes(draft)] };
  const order: KnownOrder = {
    isWhole:
      draft.unreadable.size === 0 && cycles.length === 0 && !hasErrors(needs.problems) && !hasErrors(stages.problems),
    hasStages: !hasErrors(stages.problems),
    isInCycle: (one, other) => cycles.some((cycle) => cycle.includes(one) && cycle.includes(other)),
  };
  return {
    plan,
    problems: [
      ...problems,
      ...checkStages(plan, draft, order),
      ...checkPhases(plan, draft, order),
      ...checkApprovals(plan, draft, order),
      ...checkInputs(plan, draft, order),
      ...checkSizes(draft),
    ],
  };
}

function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}
