/** `planq prune --older-than <time>`, `planq prune --dry-run` */
import { listDueRuns, pruneRuns } from '../control/prune-runs.ts';
import { toIso } from '../runtime/clock.ts';
import { describeKeep } from '../runtime/config.ts';
import { PlanqError } from '../runtime/errors.ts';
import { type Command, type Context, EXIT } from './context.ts';
import { renderRuns } from './render/status.ts';
import { count } from './terminal/text.ts';

export const prune: Command = async (context, _args, options) => {
  const { output, clock } = context;
  const isDry = options.dryRun === true;
  if (options.olderThan === undefined && isDry) return listDue(context, options.json === true);
  if (options.olderThan === undefined)
    throw new PlanqError('usage', 'cannot prune without a time: --older-than is missing', {
      hint: 'for example "planq prune --older-than 30d --dry-run"; what the keep rules remove: "planq prune --dry-run"',
    });
  const before = clock.now() - options.olderThan;
  const { runs, kept } = await pruneRuns(await context.store(), before, isDry);
  const ids = runs.map(({ id }) => id);
  if (options.json === true) output.json({ dryRun: isDry, before: toIso(before), pruned: ids, kept });
  else {
    if (isDry && runs.length > 0) output.printTable(renderRuns(runs, clock.now()));
    output.print(`${count(runs.length, 'run')} ${isDry ? 'would be removed; nothing was' : 'removed from Redis'}`);
  }
  if (kept.length > 0)
    output.note(`kept, since a worker still has a job of it or its undo goes on: ${kept.join(', ')}`);
  return EXIT.ok;
};

/** What workers remove by themselves. */
async function listDue({ app, output, store, clock }: Context, isJson: boolean): Promise<number> {
  const { keep } = app.config;
  const runs = await listDueRuns(await store(), keep);
  if (isJson) {
    output.json({ dryRun: true, keep, pruned: runs.map(({ id }) => id), kept: [] });
    return EXIT.ok;
  }
  if (runs.length > 0) output.printTable(renderRuns(runs, clock.now()));
  output.print(`${count(runs.length, 'run')} would be removed by workers (${describeKeep(keep)}); nothing was`);
  return EXIT.ok;
}
