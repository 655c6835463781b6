/** `planq submit <plan>` */
import type { LoadedPlan } from '../producer/load-plan.ts';
import { type Command, type Context, EXIT } from './context.ts';
import { loadPlan, toSubmitOptions } from './load.ts';
import type { Options } from './options.ts';
import { requireTrust } from './trust.ts';
import { noWorkerNote } from './work.ts';
import { Workforce } from './workforce.ts';

export const submit: Command = async (context, [file], options) => {
  const loaded = await loadPlan(context, file ?? '', options);
  await requireTrust(context, file ?? '', loaded, options);
  return submitAndTell(context, loaded, options);
};

/** Submits and prints the run id, alone on stdout. */
export async function submitAndTell(context: Context, loaded: LoadedPlan, options: Options): Promise<number> {
  const { app, output } = context;
  await context.store();
  const { runId, warning } = await app.submit(loaded, toSubmitOptions(context, options));
  if (warning !== undefined) output.warn(warning);
  if (options.json === true) output.json({ runId });
  else output.print(runId);
  const masters = [...new Set(loaded.plan.tasks.map((task) => task.master))];
  const unserved = await new Workforce(app, masters).unserved();
  if (unserved.length > 0) output.note(noWorkerNote(runId, unserved));
  return EXIT.ok;
}
