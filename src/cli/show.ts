/** `planq show <run> [task]` */
import { showRun } from '../control/find-run.ts';
import { showRunDetails } from '../control/show-run.ts';
import { showTask } from '../control/show-task.ts';
import { type Command, EXIT } from './context.ts';
import { renderRunDetails, renderTaskDetails } from './render/details.ts';

export const show: Command = async (context, [run, task], options) => {
  const { output, clock } = context;
  const store = await context.store();
  const details = task === undefined ? await showRunDetails(store, run) : await showTask(store, run, task);
  if (options.json === true) output.json(details);
  else if ('definition' in details) {
    output.printLines(renderTaskDetails(details, await showRun(store, details.runId), clock.now()));
  } else output.printLines(renderRunDetails(details, clock.now()));
  return EXIT.ok;
};
