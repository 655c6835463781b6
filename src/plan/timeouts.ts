/**
 * How long a task of a phase may run when it does not say so itself (the task protocol's timeouts).
 */
const HOUR_MS = 3_600_000;

/** Milliseconds per phase; a phase that is not here has {@link DEFAULT_TIMEOUT_MS}. */
export const PHASE_TIMEOUT_MS: Readonly<Record<string, number>> = Object.freeze({
  analysis: 8 * HOUR_MS,
  planning: 6 * HOUR_MS,
  implementation: 12 * HOUR_MS,
  validation: 4 * HOUR_MS,
  optimization: 20 * HOUR_MS,
});

export const DEFAULT_TIMEOUT_MS = 12 * HOUR_MS;

/** Milliseconds that a task of `phase` may run without a timeout of its own. */
export function phaseTimeoutMs(phase: string): number {
  return Object.hasOwn(PHASE_TIMEOUT_MS, phase) ? PHASE_TIMEOUT_MS[phase]! : DEFAULT_TIMEOUT_MS;
}
