/**
 * The agent `fake`: a real process that behaves as its task, or the variable PLANQ_FAKE, tells it. For demonstrations, for
 * tests and for people who try out a plan before they pay for it. What it can do is in `fake-options.ts`.
 */
import type { JsonValue, Task } from '../plan/plan.ts';
import type { Problem } from '../runtime/problem.ts';
import type { Agent, Invocation } from './agent.ts';
import { FAKE_OPTIONS, type FakeOptions, readFakeOptions } from './fake-options.ts';
import { steeringOf } from './fake-steering.ts';
import { toProblem, unknownOptions } from './option-problems.ts';
import { type AgentTools, performProcess } from './perform-process.ts';
import { programPath } from './program-path.ts';

/** Takes the place of any other agent: options that belong to that one are passed over. */
export function createFakeAgent(tools: AgentTools): Agent {
  return {
    kind: 'fake',
    validate,
    perform: async (invocation) => {
      const { options } = readFakeOptions({ ...invocation.task.with, ...readSteering(invocation) });
      const stdin = JSON.stringify(describeWork(invocation, options));
      return performProcess({ file: process.execPath, args: [programPath('fake-agent')], stdin }, invocation, tools);
    },
  };
}

function validate(task: Task): Problem[] {
  if (task.agent !== 'fake') return [];
  const { faults } = readFakeOptions(task.with);
  const invalid = [...faults].map(([name, message]) =>
    toProblem(task, { code: 'agent-option-invalid', severity: 'error', path: `with.${name}`, message }),
  );
  return [...unknownOptions(task, FAKE_OPTIONS, 'warning'), ...invalid];
}

/** A worker was refused a wrong one at its start; a plan may set it for a task all the same. */
function readSteering({ env, task, report }: Invocation): Record<string, JsonValue> {
  try {
    return steeringOf(env.PLANQ_FAKE, task.id);
  } catch {
    report({ kind: 'warning', message: 'PLANQ_FAKE is not JSON and was ignored' });
    return {};
  }
}

function describeWork({ runId, task, attempt, outputs, outputFile, env }: Invocation, options: FakeOptions): unknown {
  const fails = attempt <= (options['fail-times'] ?? Number.POSITIVE_INFINITY);
  const journal = env.PLANQ_FAKE_JOURNAL;
  const files = options['write-outputs'] ? outputs.filter((file) => !isNamed(file, options['skip-outputs'])) : [];
  return {
    identity: { run: runId, task: task.id, attempt },
    options: { ...options, exitCode: fails ? options['exit-code'] : 0 },
    outputs: files.map((file) => ({
      path: hasGlob(file, task) ? fillGlob(file) : file,
      isEmpty: isNamed(file, options['empty-outputs']),
    })),
    outputFile,
    journal,
  };
}

/** True when one of `names` is the path, its end, or its last part; trailing slashes do not count. */
function isNamed(file: string, names: readonly string[]): boolean {
  const plain = file.replace(/\/$/, '');
  return names.some((name) => plain === name.replace(/\/$/, '') || plain.endsWith(`/${name.replace(/\/$/, '')}`));
}

function hasGlob(file: string, task: Task): boolean {
  return task.outputs.some(({ glob, candidates }) => glob && candidates.some(({ path }) => file.endsWith(path)));
}

/** A path that the pattern matches. */
function fillGlob(pattern: string): string {
  return pattern
    .replaceAll('**/', '')
    .replace(/\{([^,}]*)[^}]*\}/g, '$1')
    .replace(/\[([^\]])[^\]]*\]/g, '$1')
    .replaceAll(/\*+/g, 'fake')
    .replaceAll('?', 'x');
}
