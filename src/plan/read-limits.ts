/**
 * `limits` of a plan: the three words that it knows; every other name is a resource.
 */
import { stripPhaseNumber } from './names.ts';
import type { PlanLimits } from './plan.ts';
import type { RawPlan } from './schema.ts';

/** Reads limits whose shape is right. A resource may stand directly in `limits` or under `resources`. */
export function readLimits(raw: RawPlan['limits']): PlanLimits {
  const { agents = null, phases = {}, masters = {}, resources = {}, ...others } = raw ?? {};
  return {
    agents,
    phases: Object.fromEntries(Object.entries(phases).map(([name, capacity]) => [stripPhaseNumber(name), capacity])),
    masters: { ...masters },
    resources: { ...resources, ...(others as Record<string, number>) },
  };
}
