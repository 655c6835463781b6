/** `planq run --dry-run`: what would start in which order. Needs no Redis. */
import { type RunLimits, simulate } from '../plan/dry-run.ts';
import type { LoadedPlan } from '../producer/load-plan.ts';
import { type Context, EXIT } from './context.ts';
import type { Options } from './options.ts';
import { renderDryRun } from './render/dry-run.ts';

export function printDryRun({ app, output }: Context, loaded: LoadedPlan, options: Options): number {
  const limits = toRunLimits(app.config, loaded, options);
  const starts = simulate(loaded.plan, loaded.graph, limits);
  if (options.json === true) {
    output.json({ name: loaded.plan.name, tasks: loaded.plan.tasks.length, limits, starts });
  } else {
    output.printTable(renderDryRun(loaded, starts, limits));
  }
  return EXIT.ok;
}

/** The limits that the run would have. */
function toRunLimits(config: Context['app']['config'], { plan }: LoadedPlan, { concurrency }: Options): RunLimits {
  return {
    agents: Math.min(
      config.limits.agents,
      plan.limits.agents ?? Number.MAX_SAFE_INTEGER,
      concurrency ?? config.concurrency,
    ),
    phases: { ...config.limits.phases, ...plan.limits.phases },
    masters: { ...config.limits.masters, ...plan.limits.masters },
    resources: { ...plan.limits.resources, ...config.limits.resources },
  };
}
