/**
 * What the fake agent can be told to do. One table: option, how its value is read, default. The same table serves
 * `with:` in a plan and the variable PLANQ_FAKE.
 */
import { constants } from 'node:os';
import type { JsonValue } from '../plan/plan.ts';
import { parseDuration } from '../runtime/duration.ts';
import { err, ok, type Result } from '../runtime/result.ts';

export interface FakeOptions {
  /** Milliseconds of work. */
  work: number;
  /** Progress lines, evenly spread over the work. */
  steps: number;
  'write-outputs': boolean;
  /** Outputs left unwritten: as declared, or by their last part. */
  'skip-outputs': string[];
  /** Outputs written without content. */
  'empty-outputs': string[];
  /** Attempts that fail before one succeeds; null = every attempt. */
  'fail-times': number | null;
  'exit-code': number;
  /** Prints nothing and never ends. */
  hang: boolean;
  /** Ignores TERM, HUP and INT. */
  'ignore-term': boolean;
  /** Processes left running in their own sessions, deaf to TERM. */
  grandchildren: number;
  /** Bytes printed before the work. */
  flood: number;
  /** Dies by this signal when the work is done. */
  'die-by': string | null;
  /** Written to PLANQ_OUTPUT. */
  values: Record<string, string>;
  /** Works on until this file exists. */
  'wait-for': string | null;
}

/** What is done when nothing is said: a tenth of a second of work, four steps, all outputs, success. */
export const FAKE_DEFAULTS: FakeOptions = {
  work: 100,
  steps: 4,
  'write-outputs': true,
  'skip-outputs': [],
  'empty-outputs': [],
  'fail-times': 0,
  'exit-code': 1,
  hang: false,
  'ignore-term': false,
  grandchildren: 0,
  flood: 0,
  'die-by': null,
  values: {},
  'wait-for': null,
};

type Reader<T> = (value: JsonValue) => Result<T, string>;

const READERS: { [Name in keyof FakeOptions]: Reader<FakeOptions[Name]> } = {
  work: (value) =>
    typeof value === 'string' ? parseDuration(value) : err(`${show(value)} is not a duration such as 2s`),
  steps: readCount(1000),
  'write-outputs': readFlag,
  'skip-outputs': readNames,
  'empty-outputs': readNames,
  'fail-times': (value) => (value === 'always' ? ok(null) : readCount(1000, ' or "always"')(value)),
  'exit-code': readCount(255),
  hang: readFlag,
  'ignore-term': readFlag,
  grandchildren: readCount(50),
  flood: readSize,
  'die-by': readSignal,
  values: readValues,
  'wait-for': readText,
};

/** The names of all options. */
export const FAKE_OPTIONS = Object.keys(READERS) as (keyof FakeOptions)[];

export interface ReadFakeOptions {
  options: FakeOptions;
  /** Option → what is wrong with its value; such a value is replaced by the default. */
  faults: Map<string, string>;
}

/**
 * Reads options; unknown names are passed over. `exit-code` without `fail-times` means every attempt fails.
 * @param given as in `with:`
 */
export function readFakeOptions(given: Readonly<Record<string, JsonValue>>): ReadFakeOptions {
  const faults = new Map<string, string>();
  const read: Record<string, unknown> = {};
  for (const name of FAKE_OPTIONS) {
    const value = given[name];
    if (value === undefined) continue;
    const result = READERS[name](value);
    if (result.ok) read[name] = result.value;
    else faults.set(name, result.error);
  }
  if (read['exit-code'] !== undefined && read['exit-code'] !== 0 && !('fail-times' in given)) read['fail-times'] = null;
  return { options: { ...FAKE_DEFAULTS, ...read }, faults };
}

function show(value: JsonValue): string {
  return JSON.stringify(value).slice(0, 80);
}

function readCount(most: number, orElse = ''): Reader<number> {
  return (value) => {
    const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
    return isCount ? ok(value) : err(`${show(value)} is not a whole number from 0 to ${most}${orElse}`);
  };
}

function readFlag(value: JsonValue): Result<boolean, string> {
  return typeof value === 'boolean' ? ok(value) : err(`${show(value)} is not true or false`);
}

function readText(value: JsonValue): Result<string, string> {
  return typeof value === 'string' && value !== '' ? ok(value) : err(`${show(value)} is not text`);
}

function readNames(value: JsonValue): Result<string[], string> {
  const isList = Array.isArray(value) && value.every((name) => typeof name === 'string');
  return isList ? ok(value as string[]) : err(`${show(value)} is not a list of names`);
}

function readSignal(value: JsonValue): Result<string, string> {
  return typeof value === 'string' && value in constants.signals
    ? ok(value)
    : err(`${show(value)} is not a signal such as SIGKILL`);
}

const SIZE_UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

function readSize(value: JsonValue): Result<number, string> {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(String(value)) ?? [];
  const factor = SIZE_UNITS[unit?.toLowerCase() ?? ''];
  if (amount === undefined || factor === undefined) return err(`${show(value)} is not a size such as 10MB`);
  return ok(Math.round(Number(amount) * factor));
}

function readValues(value: JsonValue): Result<Record<string, string>, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return err(`${show(value)} is not a mapping`);
  return ok(Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toText(entry)])));
}

function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
