/** `planq run <plan>` */
import { newestCursor } from '../control/cursor.ts';
import type { LoadedPlan } from '../producer/load-plan.ts';
import type { Command, Context } from './context.ts';
import { printDryRun } from './dry-run.ts';
import { loadPlan, toSubmitOptions } from './load.ts';
import type { Options } from './options.ts';
import { submitAndTell, tellWorkspace } from './submit.ts';
import { requireTrust } from './trust.ts';
import { requireAbleToWork, workAndFollow } from './work.ts';

export const run: Command = async (context, [file], options) => {
  const loaded = await loadPlan(context, file ?? '', options);
  if (options.dryRun === true) return printDryRun(context, loaded, options);
  await requireTrust(context, file ?? '', loaded, options);
  if (options.detach === true) return submitAndTell(context, loaded, options);
  return submitAndWork(context, loaded, options);
};

async function submitAndWork(context: Context, loaded: LoadedPlan, options: Options): Promise<number> {
  const masters = [...new Set(loaded.plan.tasks.map((task) => task.master))];
  const cursor = await newestCursor(await context.store());
  await requireAbleToWork(context, masters);
  const submitted = await context.app.submit(loaded, toSubmitOptions(context, options));
  const { runId, created, warning } = submitted;
  if (warning !== undefined) context.output.warn(warning);
  tellWorkspace(context, submitted);
  if (!created) context.output.note(`run ${runId} was submitted under this key before; following it`);
  return workAndFollow(context, { runId, masters, cursor, work: true, json: options.json === true });
}
