/**
 * Job data is small: version, run, and which part of it. The command never travels here: whoever can write to Redis
 * could otherwise run anything. A job whose data does not fit, or that no record knows, is failed and not run.
 */

export type JobData =
  | { v: 1; kind: 'run'; run: string }
  | { v: 1; kind: 'stage'; run: string; group: number }
  | { v: 1; kind: 'task'; run: string; index: number };

/** Reads what came out of a queue; null when it is not ours. */
export function parseJobData(data: unknown): JobData | null {
  if (typeof data !== 'object' || data === null) return null;
  const { v, run, i, g } = data as Record<string, unknown>;
  if (v !== 1 || typeof run !== 'string' || run === '') return null;
  if (isIndex(i)) return { v: 1, kind: 'task', run, index: i };
  if (isIndex(g)) return { v: 1, kind: 'stage', run, group: g };
  return i === undefined && g === undefined ? { v: 1, kind: 'run', run } : null;
}

/** The form in which it is stored. */
export function toJobData(data: JobData): Record<string, unknown> {
  switch (data.kind) {
    case 'task':
      return { v: 1, run: data.run, i: data.index };
    case 'stage':
      return { v: 1, run: data.run, g: data.group };
    case 'run':
      return { v: 1, run: data.run };
  }
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
