/** `planq prune --older-than <time>` */
import { pruneRuns } from '../control/prune-runs.ts';
import { toIso } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { type Command, EXIT } from './context.ts';
import { renderRuns } from './render/status.ts';
import { count } from './terminal/text.ts';

export const prune: Command = async (context, _args, options) => {
  const { output, clock } = context;
  if (options.olderThan === undefined)
    throw new PlanqError('usage', 'cannot prune without a time: --older-than is missing', {
      hint: 'for example "planq prune --older-than 30d --dry-run"',
    });
  const isDry = options.dryRun === true;
  const before = clock.now() - options.olderThan;
  const { runs, kept } = await pruneRuns(await context.store(), before, isDry);
  const ids = runs.map(({ id }) => id);
  if (options.json === true) output.json({ dryRun: isDry, before: toIso(before), pruned: ids, kept });
  else {
    if (isDry && runs.length > 0) output.printTable(renderRuns(runs, clock.now()));
    output.print(`${count(runs.length, 'run')} ${isDry ? 'would be removed; nothing was' : 'removed from Redis'}`);
  }
  if (kept.length > 0) output.note(`kept, since a worker still has a job of it: ${kept.join(', ')}`);
  return EXIT.ok;
};
