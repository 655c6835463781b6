/** Plans for tests, written as short as a test needs them. */
import fc from 'fast-check';
import { type ParseOptions, parsePlan } from '../../src/plan/parse.ts';
import type { Barrier, NeedCondition, Plan, Task } from '../../src/plan/plan.ts';
import type { Problem } from '../../src/runtime/problem.ts';

export const OPTIONS: ParseOptions = { knownAgents: new Set(['command', 'fake', 'function', 'noop']), resources: {} };

/** Reads a YAML text and expects it to be a plan. */
export function planOf(text: string, options: Partial<ParseOptions> = {}): Plan {
  const parsed = parsePlan({ kind: 'file', file: 'plan.yaml', text }, { ...OPTIONS, ...options });
  if (!parsed.ok) throw new Error(`not a plan:\n${JSON.stringify(parsed.error, null, 1)}`);
  return parsed.value.plan;
}

/** Everything that is said about a YAML text, whether it is a plan or not. */
export function problemsOf(text: string, options: Partial<ParseOptions> = {}, file = 'plan.yaml'): Problem[] {
  const parsed = parsePlan({ kind: 'file', file, text }, { ...OPTIONS, ...options });
  return parsed.ok ? parsed.value.problems : parsed.error;
}

/** The codes in order of place. */
export function codesOf(text: string, options: Partial<ParseOptions> = {}): string[] {
  return problemsOf(text, options).map(({ code }) => code);
}

/** The only problem with a code; fails when there is none or more. */
export function only(problems: readonly Problem[], code: string): Problem {
  const found = problems.filter((one) => one.code === code);
  if (found.length !== 1)
    throw new Error(`expected one ${code}, found ${found.length} in ${JSON.stringify(problems, null, 1)}`);
  return found[0]!;
}

/** A valid plan made in code: tasks with needs, all else at its default. */
export function graphPlan(
  barrier: Barrier,
  tasks: {
    id: string;
    phase?: string;
    needs?: [string, NeedCondition?][];
    minutes?: number;
    continueOnError?: boolean;
  }[],
): Plan {
  return {
    name: 'test',
    description: '',
    barrier,
    stages: null,
    limits: { agents: null, phases: {}, masters: {}, resources: {} },
    tasks: tasks.map(({ id, phase = 'implementation', needs = [], minutes, continueOnError = false }) => ({
      ...bareTask(id),
      phase,
      needs: needs.map(([task, when = 'success']) => ({ task, when })),
      estimate: minutes === undefined ? null : { minMinutes: minutes, maxMinutes: minutes },
      continueOnError,
    })),
    source: { format: 'yaml', file: 'test' },
  };
}

function bareTask(id: string): Task {
  return {
    id,
    title: id,
    prompt: '',
    master: 'development',
    phase: 'implementation',
    needs: [],
    agent: 'fake',
    run: null,
    with: {},
    env: {},
    inputs: [],
    outputs: [],
    check: null,
    takes: {},
    cpus: null,
    memoryBytes: null,
    priority: 'medium',
    estimate: null,
    timeoutMs: null,
    attempts: 3,
    continueOnError: false,
    matrix: {},
    source: { file: 'test', line: 1, column: 1 },
  };
}

const CONDITIONS: NeedCondition[] = ['success', 'done', 'failed'];
const PHASES = ['analysis', 'planning', 'implementation', 'other'];

/**
 * Random valid plans: each task needs some of the tasks before it. Phases never decrease, so that every barrier fits; the
 * tasks are shuffled afterwards, so that document order says nothing.
 */
export function anyPlan(
  barrier: fc.Arbitrary<Barrier> = fc.constantFrom('stage', 'phase', 'none'),
): fc.Arbitrary<Plan> {
  const task = fc.record({
    needs: fc.array(fc.tuple(fc.nat(1000), fc.constantFrom(...CONDITIONS, 'success' as const, 'success' as const)), {
      maxLength: 4,
    }),
    minutes: fc.integer({ min: 1, max: 50 }),
    isNextPhase: fc.boolean(),
    continueOnError: fc.boolean(),
  });
  return fc.tuple(barrier, fc.array(task, { minLength: 1, maxLength: 25 }), fc.nat()).map(([kind, specs, seed]) => {
    let phase = 0;
    const tasks = specs.map((spec, index) => {
      if (spec.isNextPhase) phase = Math.min(phase + 1, PHASES.length - 1);
      const needs = new Map(index === 0 ? [] : spec.needs.map(([at, when]) => [`t${at % index}`, when] as const));
      return {
        id: `t${index}`,
        phase: PHASES[phase]!,
        needs: [...needs],
        minutes: spec.minutes,
        continueOnError: spec.continueOnError,
      };
    });
    const rotated = [...tasks.slice(seed % tasks.length), ...tasks.slice(0, seed % tasks.length)];
    return graphPlan(kind, rotated);
  });
}
