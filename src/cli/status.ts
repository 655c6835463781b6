/** `planq status [run]` */
import { showRun } from '../control/find-run.ts';
import { type Command, EXIT } from './context.ts';
import { renderStatus } from './render/status.ts';

export const status: Command = async (context, [run], options) => {
  const view = await showRun(await context.store(), run);
  if (options.json === true) context.output.json(view);
  else context.output.printTable(renderStatus(view, context.clock.now()));
  return EXIT.ok;
};
