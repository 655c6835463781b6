/**
 * Warnings for tasks that are too big to be done well in one go, and for timeouts that their own estimate exceeds.
 */
import { formatDuration } from '../runtime/duration.ts';
import type { Problem } from '../runtime/problem.ts';
import { type Place, type ProblemCode, problem } from './codes.ts';
import type { Draft, DraftTask } from './draft.ts';
import { phaseTimeoutMs } from './timeouts.ts';

export const MAX_TASK_MINUTES = 30;
export const MAX_TASK_TOKENS = 20_000;
export const MAX_TASK_FILES = 3;

/** Warns once for each task (of a matrix, for the first variant). */
export function checkSizes(draft: Draft): Problem[] {
  const seen = new Set<string>();
  return draft.tasks.flatMap((one) => {
    if (seen.has(one.name)) return [];
    seen.add(one.name);
    return checkSize(one);
  });
}

function checkSize(one: DraftTask): Problem[] {
  const { name, files, task } = one;
  const { estimate } = task;
  const found: Problem[] = [];
  const warn = (code: ProblemCode, message: string, place: Place): number =>
    found.push(problem(code, `task "${name}" ${message}`, place, { severity: 'warning' }));
  if (estimate !== null && estimate.maxMinutes > MAX_TASK_MINUTES) {
    warn(
      'long-task',
      `is estimated at up to ${show(estimate.maxMinutes)}, over ${MAX_TASK_MINUTES} minutes`,
      one.place('estimate'),
    );
  }
  if (estimate?.tokens !== undefined && estimate.tokens > MAX_TASK_TOKENS) {
    warn('many-tokens', `is estimated at ${estimate.tokens} tokens, over ${MAX_TASK_TOKENS}`, one.place('estimate'));
  }
  if (files.length > MAX_TASK_FILES)
    warn('many-files', `touches ${files.length} files, over ${MAX_TASK_FILES}`, one.place('files'));
  const timeoutMs = task.timeoutMs ?? phaseTimeoutMs(task.phase);
  if (estimate !== null && estimate.maxMinutes * 60_000 > timeoutMs) {
    const owner = task.timeoutMs === null ? `the timeout of phase "${task.phase}"` : 'its timeout';
    warn(
      'timeout-below-estimate',
      `is estimated at up to ${show(estimate.maxMinutes)}, but ${owner} is ${formatDuration(timeoutMs)}`,
      one.place(task.timeoutMs === null ? 'estimate' : 'timeout'),
    );
  }
  return found;
}

function show(minutes: number): string {
  return formatDuration(minutes * 60_000);
}
