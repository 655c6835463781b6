/** What a check has counted, against its bars. Pure. */
import type { CheckName } from './names.ts';

export interface Count {
  name: string;
  value: number;
  /** The most that is allowed. */
  bar: number;
  /** Written after the numbers: ` ms`. */
  unit: string;
}

/** What a check comes back with. */
export interface Findings {
  counts: Count[];
  /** How much was done and broken: "1 worker kill". */
  facts: string[];
}

export interface CheckReport extends Findings {
  name: CheckName;
  status: 'ok' | 'failed' | 'skipped';
  /** Why it was skipped, or could not be brought to its end. */
  reason: string | null;
  durationMs: number;
}

export function count(name: string, value: number, bar = 0, unit = ''): Count {
  return { name, value, bar, unit };
}

/** Whether no bar was passed. What could not be counted (NaN) has passed it, and nothing counted is nothing shown. */
export function isHeld(counts: readonly Count[]): boolean {
  return counts.length > 0 && counts.every(({ value, bar }) => value <= bar);
}

/** How many of the expected values are otherwise. */
export function countOther<T>(expected: Readonly<Record<string, T>>, found: (name: string) => T | undefined): number {
  return Object.entries(expected).filter(([name, value]) => found(name) !== value).length;
}
