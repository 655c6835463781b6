/**
 * The agent `command`: a shell line or a program with arguments. Nothing of the plan is put into either; the prompt, the
 * handoff and all values are in files and variables (see `environment.ts`).
 */
import type { Task } from '../plan/plan.ts';
import type { Problem } from '../runtime/problem.ts';
import type { Agent } from './agent.ts';
import { toProblem, unknownOptions } from './option-problems.ts';
import { type AgentTools, type ProcessCommand, performProcess } from './perform-process.ts';

/** Runs `task.run`: text by `/bin/sh -c`, a list directly. */
export function createCommandAgent(tools: AgentTools): Agent {
  return {
    kind: 'command',
    validate,
    perform: async (invocation) => {
      const command = toCommand(invocation.task.run);
      if (command === undefined) return { kind: 'failed', reason: 'the task has no command: "run" is missing' };
      return performProcess(command, invocation, tools);
    },
  };
}

function validate(task: Task): Problem[] {
  const problems = unknownOptions(task, [], 'warning');
  if (toCommand(task.run) === undefined) {
    problems.push(
      toProblem(task, {
        code: 'agent-run-missing',
        severity: 'error',
        path: 'run',
        message: `task "${task.id}" has no command to run`,
        hint: 'add "run:" with a shell line or a list of words, or name another agent',
      }),
    );
  }
  return problems;
}

function toCommand(run: Task['run']): ProcessCommand | undefined {
  if (run === null) return undefined;
  if (typeof run === 'string') return run.trim() === '' ? undefined : { file: '/bin/sh', args: ['-c', run] };
  const [file, ...args] = run;
  return file === undefined || file === '' ? undefined : { file, args };
}
