/**
 * Which words a plan may use as names. Names become file names, queue names and Redis keys, so the rules are narrow; a word
 * that every JavaScript object already answers to (`constructor`, `__proto__`) is refused everywhere.
 */

/** Most characters of a task id. */
export const MAX_TASK_ID = 200;
/** Most characters of a master, phase or resource name. */
export const MAX_NAME = 50;

export const TASK_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]*$/;
export const PHASE_PATTERN = /^(?:\d\d-)?[a-z0-9][a-z0-9_-]*$/;
export const RESOURCE_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/;
export const MATRIX_KEY_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** True for words such as `constructor` that every object has: as a name they would be found where nothing was put. */
export function isReservedWord(word: string): boolean {
  return word in {};
}

/** True when `id` may name a task: letters, digits, `.`, `_`, `-` and `/`, no empty, `.` or `..` part. */
export function isTaskId(id: string): boolean {
  if (id.length > MAX_TASK_ID || !TASK_ID_PATTERN.test(id) || isReservedWord(id)) return false;
  return id.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** True when `name` may name a master, or a phase without its number. */
export function isName(name: string): boolean {
  return name.length <= MAX_NAME && NAME_PATTERN.test(name) && !isReservedWord(name);
}

/** True when `name` may name a resource, such as `gpu` or `repo:web`. */
export function isResourceName(name: string): boolean {
  return name.length <= MAX_NAME && RESOURCE_PATTERN.test(name) && !isReservedWord(name);
}

/** `03-implementation` and `implementation` are the same phase: the two-digit number is dropped. */
export function stripPhaseNumber(phase: string): string {
  return phase.replace(/^\d\d-(?=.)/, '');
}
