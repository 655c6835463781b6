/**
 * In which order phases come. The task protocol's five keep their order; in a folder of task files the folders' numbers
 * do; other phases go where the needs put them.
 */
import { err, ok, type Result } from '../runtime/result.ts';
import { topologicalOrder } from './order.ts';
import type { Need, Plan, Task } from './plan.ts';
import { stageNumbers } from './stages.ts';

/** The task protocol's phases, in order. */
export const KNOWN_PHASES = ['analysis', 'planning', 'implementation', 'validation', 'optimization'] as const;

/** A need that points against the order of the phases. */
export interface PhaseConflict {
  task: Task;
  need: Need;
  /** The phases that would have to come before one another, the first again at the end. */
  circle: string[];
}

type PhasePlan = Pick<Plan, 'tasks' | 'stages' | 'source'>;

/** Phases by the first stage in which one of their tasks is; the known ones first among equals. */
export function phasesByStage(plan: PhasePlan): string[] {
  const first = new Map<string, number>();
  const stages = stageNumbers(plan);
  for (const [index, { phase }] of plan.tasks.entries()) {
    first.set(phase, Math.min(first.get(phase) ?? Number.POSITIVE_INFINITY, stages[index]!));
  }
  return [...first].sort(([a, x], [b, y]) => x - y || rank(a) - rank(b)).map(([phase]) => phase);
}

/** Phases so that no task needs one of a later phase, or the needs that make that impossible. */
export function orderPhases(plan: PhasePlan): Result<string[], PhaseConflict[]> {
  const phases = phasesByStage(plan);
  const place = new Map(phases.map((phase, index) => [phase, index]));
  const needs = phases.map(() => new Set<number>());
  const fixed = fixedOrder(plan, phases);
  for (const [index, phase] of fixed.entries())
    if (index > 0) needs[place.get(phase)!]!.add(place.get(fixed[index - 1]!)!);
  for (const [task, other] of crossings(plan.tasks)) needs[place.get(task.phase)!]!.add(place.get(other.phase)!);
  const order = topologicalOrder(needs.map((set) => [...set]));
  return order.length === phases.length
    ? ok(order.map((index) => phases[index]!))
    : err(conflicts(plan.tasks, fixed, phases));
}

/** Phases whose order is given: by the numbers of their folders (files are sorted by path), else the known ones. */
function fixedOrder(plan: PhasePlan, phases: readonly string[]): string[] {
  if (plan.source.format === 'markdown') return [...new Set(plan.tasks.map((task) => task.phase))];
  return KNOWN_PHASES.filter((phase) => phases.includes(phase));
}

function* crossings(tasks: readonly Task[]): Generator<[Task, Task, Need]> {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  for (const task of tasks) {
    for (const need of task.needs) {
      const other = byId.get(need.task);
      if (other !== undefined && other.phase !== task.phase) yield [task, other, need];
    }
  }
}

/** Needs onto a phase that comes later by the fixed order, or else by first stage. */
function conflicts(tasks: readonly Task[], fixed: readonly string[], phases: readonly string[]): PhaseConflict[] {
  const order = [...new Set([...fixed, ...phases])];
  return [...crossings(tasks)]
    .filter(([task, other]) => order.indexOf(task.phase) < order.indexOf(other.phase))
    .map(([task, other, need]) => ({ task, need, circle: [task.phase, other.phase, task.phase] }));
}

function rank(phase: string): number {
  const index = (KNOWN_PHASES as readonly string[]).indexOf(phase);
  return index < 0 ? KNOWN_PHASES.length : index;
}
