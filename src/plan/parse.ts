/**
 * The one way in: a document or a folder of them → a valid plan, or everything that is wrong with it.
 */
import type { Problem } from '../runtime/problem.ts';
import { err, ok, type Result } from '../runtime/result.ts';
import { problem } from './codes.ts';
import type { Draft } from './draft.ts';
import { readDocument, readJsonDocument } from './formats/document.ts';
import { type FolderFile, readTaskFolder } from './formats/markdown-folder.ts';
import { isOrchestration, readOrchestration } from './formats/orchestration.ts';
import { readPlanDocument } from './formats/yaml.ts';
import type { Plan } from './plan.ts';
import { validate } from './validate.ts';
import type { ValidateOptions } from './validate-options.ts';

/** What was read from disk or from a request. */
export type PlanSource =
  | { kind: 'file'; file: string; text: string }
  | { kind: 'folder'; folder: string; files: readonly FolderFile[] };

export interface ParseOptions extends ValidateOptions {
  /** Warnings refuse the plan as well. */
  strict?: boolean;
  /** Variables that plans may set although they are on the list of refused ones; `GIT_*` for all that begin so. */
  planEnv?: readonly string[];
}

export interface ParsedPlan {
  plan: Plan;
  /** Warnings and notes. */
  problems: Problem[];
}

/**
 * Reads and checks a plan in any of the three formats: a folder is one of task files; a file is an orchestration when it
 * looks like one, else a plan in YAML or JSON.
 * @returns the plan with its warnings and notes; or all problems, when one is an error (with `strict`, a warning)
 */
export function parsePlan(source: PlanSource, options: ParseOptions): Result<ParsedPlan, Problem[]> {
  try {
    return readAndCheck(source, options);
  } catch (error) {
    // What is deep goes by recursion here and there; running out of stack is the document's fault, not ours.
    if (!(error instanceof RangeError)) throw error;
    const file = source.kind === 'file' ? source.file : source.folder;
    return err([problem('too-deep', `cannot read "${file}": it is nested too deeply`, { file })]);
  }
}

function readAndCheck(source: PlanSource, options: ParseOptions): Result<ParsedPlan, Problem[]> {
  const draft = readDraft(source, options);
  if (!draft.ok) return err(sorted(draft.error));
  const { plan, problems } = validate(draft.value, options);
  const refused = problems.some(
    ({ severity }) => severity === 'error' || (options.strict === true && severity === 'warning'),
  );
  return refused ? err(sorted(problems)) : ok({ plan, problems: sorted(problems) });
}

function readDraft(source: PlanSource, { planEnv = [] }: ParseOptions): Result<Draft, Problem[]> {
  if (source.kind === 'folder') return readTaskFolder(source.folder, source.files);
  const { file, text } = source;
  if (/\.md$/i.test(file)) {
    const hint = 'give the folder that holds the task files';
    return err([problem('not-a-plan', `"${file}" is one task file, not a plan`, { file }, { hint })]);
  }
  const isJson = /\.json$/i.test(file);
  const document = isJson ? readJsonDocument(text, file) : readDocument(text, file);
  if (!document.ok) return err(document.error);
  if (isOrchestration(document.value.value)) return readOrchestration(document.value, file);
  return readPlanDocument(document.value, file, { format: isJson ? 'json' : 'yaml', planEnv });
}

/** By place, so that a person can go through the file from top to bottom. */
function sorted(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      compareText(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
