/** `planq limits` */
import { listLimits } from '../control/list-limits.ts';
import { type Command, EXIT } from './context.ts';
import { renderLimits } from './render/limits.ts';

export const limits: Command = async (context, _args, options) => {
  const { output } = context;
  const views = await listLimits(await context.store());
  if (options.json === true) output.json({ limits: views });
  else if (views.length === 0)
    output.note('no limits yet: they are known when a worker has started or a run was submitted');
  else output.printTable(renderLimits(views));
  return EXIT.ok;
};
