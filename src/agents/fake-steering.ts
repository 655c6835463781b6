/**
 * The variable PLANQ_FAKE: which options the fake agent has for which task, over those of the plan. Read in two ways: once
 * when a process that may start agents begins, with every mistake told, and leniently for each attempt.
 */
import type { JsonValue } from '../plan/plan.ts';
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';
import { FAKE_OPTIONS, readFakeOptions } from './fake-options.ts';

/** Options by task id, `*` for all. */
type Steering = Record<string, Record<string, JsonValue>>;

/** The options for one task: its own entry over the general one. @throws SyntaxError */
export function steeringOf(text: string | undefined, task: string): Record<string, JsonValue> {
  const all = JSON.parse(text?.trim() || '{}') as Steering;
  return { ...all['*'], ...all[task] };
}

/** Every mistake in the variable. Which tasks there are is not known here, so any name may stand for one. */
export function checkSteering(text: string | undefined): Problem[] {
  if (text === undefined || text.trim() === '') return [];
  const value = parse(text);
  if (!isMapping(value)) return [mistake('PLANQ_FAKE', 'is not a JSON object of options by task id')];
  return Object.entries(value).flatMap(([task, options]) => checkEntry(task, options));
}

function checkEntry(task: string, options: unknown): Problem[] {
  const name = `PLANQ_FAKE["${task}"]`;
  if (!isMapping(options)) return [mistake(name, 'is not an object of options', hintFor(task))];
  const unknown = Object.keys(options)
    .filter((option) => !FAKE_OPTIONS.some((known) => known === option))
    .map((option) => mistake(name, `has the unknown option "${option}"`, hintFor(option)));
  const { faults } = readFakeOptions(options as Record<string, JsonValue>);
  return [...unknown, ...[...faults].map(([option, fault]) => mistake(`${name}.${option}`, `is wrong: ${fault}`))];
}

/** An option that stands where a task should is most often one that was meant for all. */
function hintFor(word: string): string | undefined {
  const near = nearestWord(word, FAKE_OPTIONS);
  if (near === undefined) return undefined;
  return near === word ? `write {"*": {"${word}": …}} for all tasks` : `did you mean "${near}"?`;
}

function mistake(name: string, what: string, hint?: string): Problem {
  return {
    code: 'bad-value',
    severity: 'error',
    message: `${name} ${what}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: told as not being an object.
    return undefined;
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
