/**
 * What the three formats have in common after reading: every task with its defaults filled in, but references unchecked.
 * `validate.ts` makes a valid {@link Plan} of it.
 */
import type { Problem } from '../runtime/problem.ts';
import type { Place } from './codes.ts';
import type { Barrier, NeedCondition, OnFailure, Plan, PlanLimits, Task } from './plan.ts';

/** The parts of a task that messages point at, whatever a format calls them. */
export type TaskField =
  | 'id'
  | 'needs'
  | 'inputs'
  | 'outputs'
  | 'takes'
  | 'estimate'
  | 'timeout'
  | 'agent'
  | 'files'
  | 'phase';

export interface DraftNeed {
  /** As the author wrote it: a task's name, for a matrix task all its variants. */
  task: string;
  when: NeedCondition;
  place: Place;
}

export interface DraftTask {
  /** `needs` is still empty. */
  task: Task;
  /** The author's id; differs from `task.id` for the variants of a matrix. */
  name: string;
  needs: DraftNeed[];
  /** Files it says it will touch. */
  files: string[];
  /** Some of its fields were wrong: what is missing is not reported again. */
  damaged: boolean;
  /** Where a field is, or one entry of it. */
  place(field: TaskField, entry?: number | string): Place;
}

export interface DraftStage {
  tasks: { task: string; place: Place }[];
}

export interface Draft {
  name: string;
  description: string;
  barrier: Barrier;
  limits: PlanLimits;
  source: Plan['source'];
  tasks: DraftTask[];
  onFailure?: OnFailure;
  /** As the author wrote them; see `Plan.approvals`. */
  approvals?: (number | string)[];
  stages: DraftStage[] | null;
  /** At most 10 stages whatever the barrier (orchestration files). */
  stagesAreBarriers: boolean;
  /** Ids that exist but could not be read: a need on one is no further mistake. */
  unreadable: ReadonlySet<string>;
  /** Where a top-level field is, or one entry of it. */
  place(...path: (string | number)[]): Place;
  /** What was found while reading. */
  problems: Problem[];
}

/** Limits that limit nothing. */
export function noLimits(): PlanLimits {
  return { agents: null, phases: {}, masters: {}, resources: {} };
}
