/**
 * One mistake in a document that a person wrote (a plan, the config). Many are collected before any is shown.
 */
export interface Problem {
  /** Stable, kebab-case; documented in docs/plans.md. */
  code: string;
  /** `error` refuses the document, `warning` is shown and refused only with `--strict`, `note` tells what was ignored. */
  severity: 'error' | 'warning' | 'note';
  /** One lower-case sentence that names the thing, values quoted. */
  message: string;
  /** What to do next, when there is something to say; includes "did you mean …". */
  hint?: string;
  /** File as the user gave it, relative to the working directory where possible. */
  file?: string;
  /** 1-based. */
  line?: number;
  /** 1-based. */
  column?: number;
  /** Path into the document, e.g. `tasks.design.needs[0]`. */
  path?: string;
}

/** `file:line:column: severity code: message (hint)`, leaving out what is not known. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place === '' ? '' : `${place}: `}${problem.severity} ${problem.code}: ${problem.message}${hint}`;
}
