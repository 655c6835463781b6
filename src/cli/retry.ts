/** `planq retry <run> [task]` */
import { newestCursor } from '../control/cursor.ts';
import { showRun } from '../control/find-run.ts';
import { type RetryTarget, retryRun } from '../control/retry-run.ts';
import { PlanqError } from '../runtime/errors.ts';
import { type Command, EXIT } from './context.ts';
import { nameSome } from './live/lines.ts';
import type { Options } from './options.ts';
import { mastersOf, requireAbleToWork, tellUnserved, workAndFollow } from './work.ts';

export const retry: Command = async (context, [run, task], options) => {
  const { output } = context;
  const target = toTarget(task, options);
  const store = await context.store();
  const cursor = await newestCursor(store);
  const masters = mastersOf(await showRun(store, run));
  if (options.detach !== true) await requireAbleToWork(context, masters);
  const { runId, retried } = await retryRun(store, context.clock, run, target);
  if (options.detach !== true) {
    output.note(`running again: ${nameSome(retried)}`);
    return workAndFollow(context, { runId, masters, cursor, work: true, json: options.json === true });
  }
  if (options.json === true) output.json({ runId, retried });
  else output.print(`Run ${runId} goes on; running again: ${nameSome(retried)}`);
  await tellUnserved(context, runId);
  return EXIT.ok;
};

/** @throws PlanqError `usage` when a task is named twice */
function toTarget(task: string | undefined, { from }: Options): RetryTarget {
  if (task !== undefined && from !== undefined)
    throw new PlanqError('usage', 'cannot take both a task and --from', { hint: `leave out "${task}"` });
  return { ...(task === undefined ? {} : { task }), ...(from === undefined ? {} : { from }) };
}
