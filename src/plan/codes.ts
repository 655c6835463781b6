/**
 * Every code that a plan's {@link Problem} can carry, with what it means. docs/plans.md lists the same codes; a test compares.
 */
import type { Problem } from '../runtime/problem.ts';

export const PROBLEM_CODES = {
  'plan-too-large': 'the document is larger than 4 MB (front matter: 64 KB; a folder: 64 MB)',
  'too-deep': 'lists and mappings are nested more than 100 deep',
  'too-many-values': 'the document has more than 1,000,000 words and signs',
  syntax: 'the text is not valid YAML or JSON',
  'many-documents': 'the file holds more than one YAML document',
  'too-many-aliases': 'YAML aliases are used so often that the document may be an attack',
  'duplicate-key': 'a key is written twice in one mapping',
  'reserved-name': 'a key is a word that every object has, such as `__proto__`',
  'not-a-plan': 'the document is not a mapping with tasks, or a folder or file of an unknown kind',
  'unknown-key': 'a key that the format does not know (a note in Markdown and orchestration files, which others write)',
  'missing-key': 'a required key is not there',
  'bad-value': 'a value has the wrong type or form',
  'bad-id': 'a task id has characters or parts that are not allowed',
  'refused-env': 'an environment variable that plans may not set',
  'secret-in-env': "`env` holds what looks like a secret's value",
  'bad-path': 'a file path cannot be read: empty, too long, a backslash or a NUL character',
  'path-outside': 'a file path is absolute or leaves the project',
  'no-tasks': 'there is no task',
  'too-many-tasks': 'more than 10,000 tasks after matrix expansion',
  'duplicate-task': 'two tasks have the same id',
  'nested-id': 'one task id lies inside another (`a` and `a/b`), so that their output folders would mix',
  'unknown-need': 'a need names a task that does not exist',
  'too-many-needs': 'more than 1,000,000 needs after matrix expansion',
  'self-need': 'a task needs itself',
  'duplicate-need': 'a task is needed twice: an error with different conditions, a warning otherwise',
  cycle: 'tasks need each other in a circle',
  'run-and-agent': 'a task names both a command and an agent of another kind',
  'no-agent': 'a task has neither `run` nor `agent`',
  'unknown-agent': 'the kind of agent does not exist',
  'unknown-resource': '`takes` names a resource that has no capacity',
  'takes-too-much': 'a task takes more of a resource than there is',
  'unknown-stage-task': '`stages` names a task that does not exist',
  'stage-duplicate-task': '`stages` names a task twice',
  'stage-missing-task': '`stages` leaves a task out',
  'stage-order': 'a task needs one of its own stage or of a later one',
  'bad-stage-name': 'a key of `execution_plan` is not `stage_<number>`',
  'unknown-approval': '`approve-before` names a stage or phase that does not wait for anything before it',
  'too-many-stages': 'more than 10 stages that wait for each other',
  'phase-order': 'with `barrier: phase`, a task needs one of a later phase',
  'unknown-phase': 'the phase asked for does not occur in the plan',
  'empty-matrix': 'a matrix leaves no variant',
  'matrix-too-large': 'a matrix has more than 256 variants',
  'unknown-matrix-key': '`${{ matrix.x }}` names a key that the matrix does not have',
  'matrix-in-shell': '`${{ matrix.x }}` stands in a shell line',
  'no-front-matter': 'a task file does not begin with front matter between two `---` lines',
  'long-task': 'the estimate is over 30 minutes',
  'many-tokens': 'the estimate is over 20,000 tokens',
  'many-files': 'the task touches more than 3 files',
  'timeout-below-estimate': "the timeout is shorter than the estimate's upper bound",
  'undeclared-input': 'an input that no task declares as an output',
  'input-not-upstream': 'an input comes from a task that need not have ended before',
  'unused-limit': 'a limit names a phase, master or resource that no task has',
  'shadowed-limit': "the configuration's capacity of a resource counts, not the plan's",
  'task-id-differs': '`task_id` is not the path of the file',
  'phase-differs': '`phase` is not the folder of the file',
  'ignored-text': 'text of a task file that could not be read and was ignored',
  'graph-differs': '00-TASK-GRAPH.md and the task files disagree; the task files count',
} as const;

export type ProblemCode = keyof typeof PROBLEM_CODES;

/** Where a problem is: file, 1-based line and column, path into the document; what is not known is left out. */
export type Place = Pick<Problem, 'file' | 'line' | 'column' | 'path'>;

interface ProblemExtras {
  severity?: Problem['severity'];
  hint?: string | undefined;
}

/**
 * Makes a problem; an error unless `extras` says otherwise.
 * @param message one lower-case sentence that names the thing, values quoted
 */
export function problem(code: ProblemCode, message: string, place: Place, extras: ProblemExtras = {}): Problem {
  const { severity = 'error', hint } = extras;
  return { code, severity, message, ...(hint === undefined ? {} : { hint }), ...place };
}

/** The hint `did you mean "…"?` for a word that was found nearest, or undefined. */
export function didYouMean(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `did you mean "${word}"?`;
}
