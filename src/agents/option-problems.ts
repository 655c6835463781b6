/**
 * Problems with the options (`with:`) of a task, worded the same for every agent.
 */
import type { Task } from '../plan/plan.ts';
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';

/** Every code that an agent's check can give; docs/agents.md lists the same. */
export const AGENT_PROBLEM_CODES = {
  'agent-option-unknown': 'an option that the agent does not have',
  'agent-option-invalid': 'an option with a value of the wrong type or form',
  'agent-option-missing': 'an option that the agent cannot do without',
  'agent-run-missing': 'the agent `command` without a command',
} as const;

/** Where in the task, and what is wrong. */
export interface TaskFault {
  code: keyof typeof AGENT_PROBLEM_CODES;
  severity: Problem['severity'];
  /** Path below the task, such as `with.work` or `run`. */
  path: string;
  /** One lower-case sentence, values quoted. */
  message: string;
  hint?: string;
}

/** Places a fault in the document the task came from. */
export function toProblem(task: Task, fault: TaskFault): Problem {
  return { ...fault, ...task.source, path: `tasks.${task.id}.${fault.path}` };
}

/** One problem for each option of the task that is not among `known`, with the nearest known one. */
export function unknownOptions(task: Task, known: readonly string[], severity: Problem['severity']): Problem[] {
  return Object.keys(task.with)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = nearestWord(name, known);
      const hint = near === undefined ? listOf(known) : `did you mean "${near}"?`;
      const message = `the agent "${task.agent ?? 'command'}" has no option "${name}"`;
      return toProblem(task, { code: 'agent-option-unknown', severity, path: `with.${name}`, message, hint });
    });
}

function listOf(known: readonly string[]): string {
  return known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
}
