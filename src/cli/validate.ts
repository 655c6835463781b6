/** `planq validate <plan>` */
import { PlanqError } from '../runtime/errors.ts';
import type { Problem } from '../runtime/problem.ts';
import { type Command, type Context, EXIT } from './context.ts';
import type { Options } from './options.ts';
import { renderProblem } from './render/error.ts';
import { count } from './terminal/text.ts';

export const validate: Command = async (context, [file], options) => {
  const { output } = context;
  const { valid, problems, summary } = await check(context, file ?? '', options);
  if (options.json === true) {
    output.json({ valid, problems });
  } else {
    for (const problem of problems) output.print(renderProblem(problem, output.style));
    output.print(`${file}: ${summary}`);
  }
  return valid ? EXIT.ok : EXIT.planInvalid;
};

interface Checked {
  valid: boolean;
  problems: Problem[];
  summary: string;
}

async function check({ app }: Context, file: string, options: Options): Promise<Checked> {
  try {
    const { plan, graph, problems } = await app.loadPlan(file, {
      strict: options.strict === true,
      ...(options.barrier === undefined ? {} : { barrier: options.barrier }),
    });
    const size = `${count(plan.tasks.length, 'task')} in ${count(graph.stages.length, 'stage')}`;
    return { valid: true, problems, summary: `valid, ${size}${tally(problems)}` };
  } catch (error) {
    if (!(error instanceof PlanqError) || error.code !== 'plan_invalid') throw error;
    const problems = (error.facts.problems ?? []) as Problem[];
    return { valid: false, problems, summary: `invalid${tally(problems)}` };
  }
}

/** `, 2 errors, 1 warning`. */
function tally(problems: readonly Problem[]): string {
  return (['error', 'warning', 'note'] as const)
    .map((severity) => [severity, problems.filter((problem) => problem.severity === severity).length] as const)
    .filter(([, amount]) => amount > 0)
    .map(([severity, amount]) => `, ${count(amount, severity)}`)
    .join('');
}
