/** What went wrong, in one sentence with its code and what to do next. */
import { errorMessage, PlanqError } from '../../runtime/errors.ts';
import { formatProblem, type Problem } from '../../runtime/problem.ts';
import type { Style } from '../terminal/style.ts';
import { clean } from '../terminal/text.ts';

/** Lines for stderr. A plan's mistakes come first, one a line. */
export function renderError(error: unknown, style: Style): string[] {
  if (!(error instanceof PlanqError)) return [`${style('red', 'error')} internal: ${describe(error)}`];
  const problems = problemsOf(error);
  const hint = error.hint === undefined ? [] : [`  → ${error.hint}`];
  return [
    ...problems.map((problem) => renderProblem(problem, style)),
    `${style('red', 'error')} ${error.code}: ${clean(error.message)}`,
    ...hint,
  ];
}

/** `file:line:column: severity code: message`. */
export function renderProblem(problem: Problem, style: Style): string {
  const color = { error: 'red', warning: 'yellow', note: 'dim' } as const;
  return style(color[problem.severity], clean(formatProblem(problem)));
}

export interface ErrorJson {
  code: string;
  message: string;
  hint: string | null;
  retryable: boolean;
  /** Only with `plan_invalid` and `config_invalid`. */
  problems?: Problem[];
}

export function toErrorJson(error: unknown): ErrorJson {
  if (!(error instanceof PlanqError))
    return { code: 'internal', message: errorMessage(error), hint: null, retryable: false };
  const problems = problemsOf(error);
  return {
    code: error.code,
    message: error.message,
    hint: error.hint ?? null,
    retryable: error.retryable,
    ...(problems.length === 0 ? {} : { problems }),
  };
}

function problemsOf(error: PlanqError): Problem[] {
  return Array.isArray(error.facts.problems) ? (error.facts.problems as Problem[]) : [];
}

/** A mistake of planq's own: here the stack helps whoever mends it. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
