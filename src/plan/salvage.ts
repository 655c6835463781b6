/**
 * After a mistake of shape the rest of the plan is still checked, so that a person sees all mistakes at once: what is wrong
 * is taken out, and what remains is read again.
 */
import type { z } from 'zod';
import type { Mistake, Path } from './issues.ts';
import { planSchema, type RawPlan } from './schema.ts';

export interface Salvaged {
  raw: RawPlan;
  /** Tasks of which a part was taken out. */
  damaged: ReadonlySet<string>;
  /** Ids under which nothing readable is left. */
  unreadable: ReadonlySet<string>;
}

/** Takes what `mistakes` point at out of a copy of `value`; null when nothing with tasks is left. */
export function salvage(value: unknown, mistakes: readonly Mistake[]): Salvaged | null {
  const copy = structuredClone(value);
  if (!isObject(copy) || !isObject(copy.tasks)) return null;
  const damaged = new Set<string>();
  const unreadable = new Set<string>();
  for (const { path, code } of mistakes) {
    const [first, id] = path.map(String);
    if (first === 'tasks' && id !== undefined && code === 'bad-id') unreadable.add(id);
    if (first === 'tasks' && id !== undefined) damaged.add(id);
    // What the defaults had to say is unknown now, so no task can be blamed for what it lacks.
    if (first === 'defaults') for (const task of Object.keys(copy.tasks)) damaged.add(task);
    if (!takeOutNeed(copy.tasks, path, unreadable)) takeOut(copy, path, code === 'bad-id');
  }
  copy.name ??= 'unnamed';
  const parsed: z.ZodSafeParseResult<RawPlan> = planSchema.safeParse(copy);
  return parsed.success ? { raw: parsed.data, damaged, unreadable } : null;
}

/** Stands where a need cannot be read. */
const UNREADABLE_NEED = 'unreadable-need';

/**
 * Needs are the one list of which the other entries are checked against the rest of the plan, so an entry is replaced rather
 * than its list removed: by the name of a task that counts as unreadable, or without the key that is wrong.
 * @returns false when `path` does not lead into a list of needs
 */
function takeOutNeed(tasks: Record<string, unknown>, path: Path, unreadable: Set<string>): boolean {
  const [, id, field, at, key] = path;
  const task = id === undefined ? undefined : tasks[id];
  if (path[0] !== 'tasks' || field !== 'needs' || typeof at !== 'number' || !isObject(task)) return false;
  const { needs } = task;
  if (!Array.isArray(needs)) return false;
  const entry: unknown = needs[at];
  if (isObject(entry) && key !== undefined && key !== 'task') {
    delete entry[key];
    return true;
  }
  let name = UNREADABLE_NEED;
  while (Object.hasOwn(tasks, name)) name += '-';
  unreadable.add(name);
  needs[at] = name;
  return true;
}

/** Removes the value at `path`. A task keeps its id; from a list nothing is cut, since later indexes are places: all of it goes. */
function takeOut(root: Record<string, unknown>, path: Path, isKey: boolean): void {
  const owner: Path = [];
  let current: unknown = root;
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) break;
    owner.push(key);
    current = current[key];
  }
  const last = owner.pop();
  const parent = owner.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], root);
  if (last === undefined || !isObject(parent)) return;
  if (path[0] === 'tasks' && owner.length === 1 && !isKey) parent[last] = {};
  else delete parent[last];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
