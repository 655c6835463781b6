/**
 * Which attempt of how many. Numbers go on after a retry by a person, and all attempts are allowed anew: so the fourth may be
 * the first of three.
 */

/** @param before attempts used before the last retry by a person */
export function attemptText(attempt: number, allowed: number, before: number): string {
  if (before === 0) return `${attempt} of ${allowed}`;
  return `${attempt} (${attempt - before} of ${allowed} since the retry)`;
}
