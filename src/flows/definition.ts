/**
 * A task's definition as the record keeps it: the task and its stage as JSON, without what most tasks have in common.
 */
import type { Task } from '../plan/plan.ts';

/** A task's definition as it comes out of the record. */
export type TaskDefinition = Task & { stage: number };

/**
 * What is left out; anew each time, since whoever reads a definition may keep it. What tells tasks apart has its place here
 * too: an object of one shape is made faster than one that grows.
 */
function common() {
  return {
    id: undefined,
    title: undefined,
    prompt: '',
    master: undefined,
    phase: undefined,
    needs: [],
    agent: undefined,
    run: null,
    with: {},
    env: {},
    inputs: [],
    outputs: [],
    check: null,
    takes: {},
    cpus: null,
    memoryBytes: null,
    priority: 'medium',
    estimate: null,
    timeoutMs: null,
    attempts: undefined,
    continueOnError: false,
    matrix: {},
    source: undefined,
    stage: undefined,
  } satisfies { [key in keyof TaskDefinition]?: TaskDefinition[key] | undefined };
}

const COMMON_TEXT = new Map(Object.entries(common()).map(([key, value]) => [key, JSON.stringify(value)]));

export function writeDefinition(definition: TaskDefinition): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(definition).filter(([key, value]) => COMMON_TEXT.get(key) !== JSON.stringify(value)),
    ),
  );
}

/** Reads a definition that {@link writeDefinition} wrote. */
export function parseDefinition(text: string): TaskDefinition {
  return complete(JSON.parse(text) as object) as unknown as TaskDefinition;
}

/** Puts in what was left out. */
export function complete(stored: object): Partial<Record<keyof TaskDefinition, unknown>> {
  return Object.assign(common(), stored);
}
