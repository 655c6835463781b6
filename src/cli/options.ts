/**
 * What can be said on the command line: all options of all commands with their types, and how their words are read.
 * Which command takes which stands in `commands.ts`.
 */
import { InvalidArgumentError } from 'commander';
import { CHECK_NAMES, type CheckName } from '../drill/names.ts';
import type { Barrier } from '../plan/plan.ts';
import { parseDuration } from '../runtime/duration.ts';
import { nearestWord } from '../runtime/nearest.ts';

export interface Options {
  project?: string;
  quiet?: boolean;
  color?: boolean;
  volatile?: boolean;
  json?: boolean;
  undo?: boolean;
  strict?: boolean;
  barrier?: Barrier;
  agent?: string;
  phase?: string;
  workspace?: string;
  inputs?: 'strict' | 'warn';
  concurrency?: number;
  key?: string;
  /** The plan may lie outside the project. */
  trust?: boolean;
  dryRun?: boolean;
  detach?: boolean;
  work?: boolean;
  masters?: Record<string, number | null>;
  limit?: number;
  lines?: number;
  follow?: boolean;
  format?: string;
  /** Who acts. */
  by?: string;
  comment?: string;
  master?: string;
  all?: boolean;
  /** A task to run again with all that need it. */
  from?: string;
  /** Milliseconds. */
  olderThan?: number;
  /** Folder, or `-` for stdout. */
  out?: string;
  test?: boolean;
  /** Checks of the drill. */
  only?: CheckName[];
  /** Leave the drill's folder. */
  keep?: boolean;
}

/** One option as the table has it. */
export interface OptionRow {
  /** Commander's notation. */
  flags: string;
  about: string;
  choices?: readonly string[];
  parse?(text: string): unknown;
}

/** Text that is not empty: `--key "$UNSET"` is a mistake, not a wish. @throws InvalidArgumentError */
export function parseText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It must not be empty.');
}

/** A whole number, 1 or more. @throws InvalidArgumentError */
export function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number, 1 or more.');
}

/** `30d`, `12h`, `1h30m`: milliseconds. @throws InvalidArgumentError */
export function parseAge(text: string): number {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError('Write it with its unit, such as 30d, 12h or 1h30m.');
}

/**
 * `development=4,security=2`: masters with the most tasks at once for each; null for a name alone, which may have as many
 * as the worker.
 * @throws InvalidArgumentError
 */
export function parseMasters(text: string): Record<string, number | null> {
  const entries = text.split(',').map((part): [string, number | null] => {
    const [name = '', amount, ...rest] = part.split('=').map((word) => word.trim());
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || rest.length > 0)
      throw new InvalidArgumentError('Write it like development=4,security=2.');
    return [name, amount === undefined ? null : parseCount(amount)];
  });
  if (new Set(entries.map(([name]) => name)).size < entries.length)
    throw new InvalidArgumentError('It names a master twice.');
  return Object.fromEntries(entries);
}

/** `kill,hang`: checks of the drill. @throws InvalidArgumentError naming the nearest one */
export function parseChecks(text: string): CheckName[] {
  return text.split(',').map((word) => {
    const name = CHECK_NAMES.find((known) => known === word.trim());
    if (name !== undefined) return name;
    const near = nearestWord(word.trim(), CHECK_NAMES);
    const known = near === undefined ? `Known are ${CHECK_NAMES.join(', ')}.` : `Did you mean "${near}"?`;
    throw new InvalidArgumentError(`There is no check "${word.trim()}". ${known}`);
  });
}
