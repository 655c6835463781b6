/**
 * A plan is code. One that lies in the project is the project's own, like its scripts; one from elsewhere is shown, and
 * started only when a person says so. Examples that came with planq count as planq's.
 */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedPlan } from '../producer/load-plan.ts';
import { PlanqError } from '../runtime/errors.ts';
import { isInside } from '../runtime/files.ts';
import type { Context } from './context.ts';
import type { Options } from './options.ts';
import { renderPlanCommands } from './render/plan-commands.ts';
import { count } from './terminal/text.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

/** @throws PlanqError `plan_not_trusted` when the plan lies outside the project and nobody vouched for it */
export async function requireTrust(
  context: Context,
  file: string,
  { plan }: LoadedPlan,
  options: Options,
): Promise<void> {
  const { app, cwd, output, ask } = context;
  if (options.trust === true) return;
  const place = await realpath(path.resolve(cwd, file));
  for (const home of [app.config.projectDir, EXAMPLES]) if (isInside(await realOf(home), place)) return;
  output.complain(`"${file}" lies outside the project ${app.config.projectDir}. It would run, as you:`);
  for (const block of renderPlanCommands(plan)) output.complain(block);
  const question = `Run ${count(plan.tasks.length, 'task')} of this plan? [y/N] `;
  if (ask !== null && (await ask(question))) return;
  throw new PlanqError('plan_not_trusted', `cannot start plan "${file}": it lies outside the project`, {
    hint: 'a plan is code: read it, then say --trust',
  });
}

/** The examples are not everywhere. */
async function realOf(folder: string): Promise<string> {
  return realpath(folder).catch(() => folder);
}
