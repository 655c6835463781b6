/**
 * The single fields of a task file. What is wrong with one goes to the file's problems; the rest is read on.
 */
import { parseDuration } from '../../runtime/duration.ts';
import { nearestWord } from '../../runtime/nearest.ts';
import type { Problem } from '../../runtime/problem.ts';
import { didYouMean, type Place, type ProblemCode, problem } from '../codes.ts';
import type { TaskField } from '../draft.ts';
import { parseEstimateText } from '../estimate-text.ts';
import { isName, stripPhaseNumber } from '../names.ts';
import type { Estimate, Priority } from '../plan.ts';
import type { FrontMatter } from './front-matter.ts';

export interface TaskFile {
  /** Relative to the tasks folder. */
  path: string;
  /** As shown in messages, and as the agent is told. */
  shown: string;
  matter: FrontMatter;
  place(field: TaskField, entry?: number | string): Place;
  problems: Problem[];
}

const PRIORITIES: readonly Priority[] = ['critical', 'high', 'medium', 'low'];

/** The specialist; `development` when the file does not say. */
export function readMaster(file: TaskFile): string {
  const master = textOf(file.matter, 'master') ?? 'development';
  if (!isName(master))
    report(file, 'bad-value', 'master', `master "${master}" must be lower-case letters, digits, "-" and "_"`);
  return master;
}

/** The phase without its number; the front matter wins over the folder. */
export function readPhase(file: TaskFile): string {
  const folder = stripPhaseNumber(file.path.split('/')[0]!);
  const phase = stripPhaseNumber(textOf(file.matter, 'phase') ?? folder);
  if (!isName(phase))
    report(file, 'bad-value', 'phase', `phase "${phase}" must be lower-case letters, digits, "-" and "_"`);
  else if (phase !== folder)
    report(file, 'phase-differs', 'phase', `"phase" is "${phase}", but the folder is of "${folder}"`, 'warning');
  return phase;
}

/** The priority; `medium` when the file does not say. */
export function readPriority(file: TaskFile): Priority {
  const word = textOf(file.matter, 'priority')?.toLowerCase() ?? 'medium';
  const known = PRIORITIES.find((priority) => priority === word);
  if (known === undefined) {
    const place = file.matter.fields.get('priority')?.place ?? {};
    const hint = didYouMean(nearestWord(word, PRIORITIES));
    file.problems.push(problem('bad-value', `priority "${word}" is none of ${PRIORITIES.join(', ')}`, place, { hint }));
  }
  return known ?? 'medium';
}

/** `estimated_duration`, or null. */
export function readEstimate(file: TaskFile): Estimate | null {
  const text = textOf(file.matter, 'estimated_duration');
  if (text === undefined) return null;
  const read = parseEstimateText(text);
  if (read.ok) return read.value;
  report(file, 'bad-value', 'estimated_duration', `"estimated_duration" ${read.error}`);
  return null;
}

/** `timeout` in milliseconds, or null. */
export function readTimeout(file: TaskFile): number | null {
  const text = textOf(file.matter, 'timeout');
  if (text === undefined) return null;
  const read = parseDuration(text);
  if (read.ok && read.value > 0) return read.value;
  report(file, 'bad-value', 'timeout', read.ok ? '"timeout" must be more than nothing' : `"timeout" ${read.error}`);
  return null;
}

/** `undo`, a shell line; nothing when the file does not say. */
export function readUndo(file: TaskFile): { undo?: string } {
  if (!file.matter.fields.has('undo')) return {};
  const undo = textOf(file.matter, 'undo');
  if (undo !== undefined) return { undo };
  report(file, 'bad-value', 'undo', '"undo" must not be empty');
  return {};
}

function report(
  file: TaskFile,
  code: ProblemCode,
  key: string,
  message: string,
  severity: Problem['severity'] = 'error',
): void {
  file.problems.push(problem(code, message, file.matter.fields.get(key)?.place ?? { file: file.shown }, { severity }));
}

/** A field's text (of a list the first), trimmed; undefined when it is not there or empty. */
export function textOf(matter: FrontMatter, key: string): string | undefined {
  const value = matter.fields.get(key)?.value;
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/** A field's texts, trimmed; one text is a list of one. */
export function listOf(matter: FrontMatter, key: string): string[] {
  const value = matter.fields.get(key)?.value ?? [];
  return (Array.isArray(value) ? value : [value]).map((text) => text.trim());
}
