/** Reads the plan that a command names, tells what is dubious in it, and cuts it to a phase. */

import path from 'node:path';
import { compileGraph } from '../plan/graph.ts';
import { selectPhase } from '../plan/select.ts';
import type { LoadedPlan } from '../producer/load-plan.ts';
import type { SubmitOptions } from '../producer/submit.ts';
import { PlanqError } from '../runtime/errors.ts';
import type { Context } from './context.ts';
import type { Options } from './options.ts';
import { renderProblem } from './render/error.ts';

/** @throws PlanqError `plan_not_found`, `plan_invalid`; `usage` when the plan has no such phase */
export async function loadPlan({ app, output }: Context, file: string, options: Options): Promise<LoadedPlan> {
  const loaded = await app.loadPlan(file, {
    ...(options.barrier === undefined ? {} : { barrier: options.barrier }),
    strict: options.strict === true,
  });
  if (!output.isQuiet)
    for (const problem of loaded.problems) output.complain(renderProblem(problem, output.errorStyle));
  if (options.phase === undefined) return loaded;
  const selected = selectPhase(loaded.plan, options.phase);
  if (!selected.ok) {
    const { message, hint } = selected.error;
    throw new PlanqError(
      'usage',
      `cannot take phase "${options.phase}" alone: ${message}`,
      hint === undefined ? {} : { hint },
    );
  }
  const { plan, dropped } = selected.value;
  for (const { task, need } of dropped)
    output.note(`task "${task}" does not wait for "${need}", which is of another phase`);
  return { plan, graph: compileGraph(plan), problems: loaded.problems };
}

/** The options that go with a submission. Paths that are typed begin where planq was started. */
export function toSubmitOptions({ cwd }: Context, options: Options): SubmitOptions {
  return {
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.inputs === undefined ? {} : { inputs: options.inputs }),
    ...(options.workspace === undefined ? {} : { workspace: path.resolve(cwd, options.workspace) }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  };
}
