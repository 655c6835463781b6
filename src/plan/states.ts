/**
 * The state machines of tasks and runs. Drawn in docs/states.md; changed only by the scripts in `redis/scripts`.
 */

export const TASK_STATES = [
  'pending',
  'ready',
  'running',
  'parked',
  'completed',
  'failed',
  'blocked',
  'skipped',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const RUN_STATES = ['running', 'blocked', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** A task in one of these does not move again by itself. */
export function isSettled(state: TaskState): boolean {
  return ['completed', 'failed', 'blocked', 'skipped', 'cancelled'].includes(state);
}

/** A run in one of these has ended. A `blocked` run has not: a person can resume it. */
export function isFinal(state: RunState): boolean {
  return ['completed', 'failed', 'cancelled'].includes(state);
}

/** A run in which nothing moves until a person acts or for ever: what a follower waits for. */
export function isAtRest(state: RunState): boolean {
  return isFinal(state) || state === 'blocked';
}
