/**
 * The agent `function`: calls an exported function of the user's module, in a process of its own, so that it can be timed,
 * watched and killed like every other agent. The call is described to the runner on its standard input.
 */
import type { JsonValue, Task } from '../plan/plan.ts';
import type { Problem } from '../runtime/problem.ts';
import type { Agent, Invocation, Outcome } from './agent.ts';
import { toProblem, unknownOptions } from './option-problems.ts';
import { type AgentTools, performProcess } from './perform-process.ts';
import { programPath } from './program-path.ts';
import { MAX_VALUES_BYTES } from './values.ts';

const OPTIONS = ['module', 'export', 'args'];

/** Calls `with.export` (default `default`) of `with.module` with `with.args`; what it returns becomes `values.result`. */
export function createFunctionAgent(tools: AgentTools): Agent {
  return {
    kind: 'function',
    validate,
    perform: async (invocation) => {
      const faults = validate(invocation.task).filter((problem) => problem.severity === 'error');
      if (faults.length > 0) return { kind: 'failed', reason: faults.map((fault) => fault.message).join('; ') };
      const program = {
        file: process.execPath,
        args: [programPath('function-runner')],
        stdin: describeCall(invocation),
      };
      return parseResult(await performProcess(program, invocation, tools));
    },
  };
}

function validate(task: Task): Problem[] {
  const problems = unknownOptions(task, OPTIONS, 'error');
  const { module, export: name = 'default' } = task.with;
  if (module === undefined || module === '') {
    const message = `task "${task.id}" does not say which module to load`;
    const hint = 'add with.module, for example ./tasks/build.mjs';
    problems.push(
      toProblem(task, { code: 'agent-option-missing', severity: 'error', path: 'with.module', message, hint }),
    );
  } else if (typeof module !== 'string') problems.push(notText(task, 'module', module));
  if (typeof name !== 'string') problems.push(notText(task, 'export', name));
  return problems;
}

function notText(task: Task, option: string, value: JsonValue): Problem {
  const message = `"${option}" must be text, not ${JSON.stringify(value).slice(0, 80)}`;
  return toProblem(task, { code: 'agent-option-invalid', severity: 'error', path: `with.${option}`, message });
}

function describeCall({ task, runId, attempt, outputDir, projectDir, handoffFile, outputFile }: Invocation): string {
  const { module, export: name = 'default', args = null } = task.with;
  const context = { args, attempt, runId, taskId: task.id, outputDir, projectDir };
  return JSON.stringify({ module, name, context, handoffFile, outputFile, maxResultBytes: MAX_VALUES_BYTES });
}

/** The runner writes the result as one line of JSON; values travel as text otherwise. */
function parseResult(outcome: Outcome): Outcome {
  if (outcome.kind !== 'completed' || typeof outcome.values?.result !== 'string') return outcome;
  return { ...outcome, values: { ...outcome.values, result: parseJsonOrText(outcome.values.result) } };
}

/** The function may have written a `result` of its own, which need not be JSON. */
function parseJsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
