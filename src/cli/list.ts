/** `planq list` */
import { listRuns } from '../control/list-runs.ts';
import { type Command, EXIT } from './context.ts';
import { renderRuns } from './render/status.ts';

const DEFAULT_LIMIT = 20;

export const list: Command = async (context, _args, options) => {
  const { output, clock } = context;
  const runs = await listRuns(await context.store(), options.limit ?? DEFAULT_LIMIT);
  if (options.json === true) output.json({ runs });
  else if (runs.length === 0) output.note('no runs yet; start one with "planq run <plan>"');
  else output.printTable(renderRuns(runs, clock.now()));
  return EXIT.ok;
};
