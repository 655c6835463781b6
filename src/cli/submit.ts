/** `planq submit <plan>` */
import { showRun } from '../control/find-run.ts';
import type { LoadedPlan } from '../producer/load-plan.ts';
import type { Submitted } from '../producer/submit.ts';
import { type Command, type Context, EXIT } from './context.ts';
import { loadPlan, toSubmitOptions } from './load.ts';
import type { Options } from './options.ts';
import { requireTrust } from './trust.ts';
import { tellUnserved } from './work.ts';

export const submit: Command = async (context, [file], options) => {
  const loaded = await loadPlan(context, file ?? '', options);
  await requireTrust(context, file ?? '', loaded, options);
  return submitAndTell(context, loaded, options);
};

/** Submits and prints the run id, alone on stdout. */
export async function submitAndTell(context: Context, loaded: LoadedPlan, options: Options): Promise<number> {
  const { app, output } = context;
  await context.store();
  const submitted = await app.submit(loaded, toSubmitOptions(context, options));
  const { runId, created, warning, beside, workspace } = submitted;
  if (warning !== undefined) output.warn(warning);
  if (options.json === true) output.json({ runId, ...(beside === undefined ? {} : { workspace }) });
  else output.print(runId);
  tellWorkspace(context, submitted);
  if (!created) await tellKnown(context, runId);
  await tellUnserved(context, runId);
  return EXIT.ok;
}

/** A run beside another that lives has its files where nobody would look for them. */
export function tellWorkspace({ output }: Context, { runId, workspace, beside }: Submitted): void {
  if (beside === undefined) return;
  output.note(`run ${runId} has its files in ${workspace}/, since run ${beside} uses the workspace`);
}

/** The key had been used before: what became of that run. */
async function tellKnown({ output, store }: Context, runId: string): Promise<void> {
  const { state } = (await showRun(await store(), runId)).run;
  const how = state === 'completed' || state === 'failed' ? `has ${state}` : `is ${state}`;
  output.note(`run ${runId} was submitted under this key before and ${how}`);
}
