/**
 * A task's definition as Redis has it, for those who only show it: what is gone or is no task must not take the view of
 * the whole run with it. Whoever performs a task uses `parseDefinition`, after the claim has compared its hash.
 */

import { complete, type TaskDefinition } from './definition.ts';
import { type RecordNode, readNode } from './node.ts';

/** Why nothing more is known of such a task. */
export const DAMAGED_REASON = 'Its definition in Redis is damaged';

/** The definition, or null when the text is none. Never throws. */
export function readDefinition(text: string | null | undefined): TaskDefinition | null {
  const value = readStored(text);
  return value !== null && isDefinition(value) ? (value as unknown as TaskDefinition) : null;
}

/** What a run's view shows of a definition. */
export type ShownDefinition = Pick<
  TaskDefinition,
  'id' | 'title' | 'stage' | 'phase' | 'master' | 'agent' | 'needs' | 'undoes'
>;

/** As much of the definition as a run's view shows, or null. Never throws. */
export function readShown(text: string | null | undefined): ShownDefinition | null {
  const value = readStored(text);
  return value !== null && isShown(value) ? (value as unknown as ShownDefinition) : null;
}

/** What is left of a task whose definition is damaged: what the scripts need of it. @param text its node */
export function readRemains(text: string | null | undefined, index: number): Pick<RecordNode, 'id' | 'm' | 'g'> {
  return readNode(text ?? '') ?? { id: `task ${index}`, m: '', g: 0 };
}

type Fields = Partial<Record<keyof TaskDefinition, unknown>>;

const TEXTS = ['id', 'title', 'master', 'phase'] as const;
const OBJECTS = ['env', 'takes', 'matrix', 'source', 'with'] as const;

function isShown(value: Fields): boolean {
  return (
    TEXTS.every((key) => typeof value[key] === 'string') && typeof value.stage === 'number' && isObjects(value.needs)
  );
}

function isDefinition(value: Fields): boolean {
  return (
    isShown(value) &&
    typeof value.prompt === 'string' &&
    isObjects(value.inputs) &&
    isObjects(value.outputs) &&
    OBJECTS.every((key) => isObject(value[key]))
  );
}

function isObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function readStored(text: string | null | undefined): Fields | null {
  const value = readObject(text);
  return value === null ? null : complete(value);
}

function readObject(text: string | null | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return isObject(value) ? value : null;
  } catch {
    // Not even JSON: damaged like the rest.
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
