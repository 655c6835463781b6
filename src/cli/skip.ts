/** `planq skip <run> <task>` */
import { skipTask } from '../control/steer.ts';
import { type Command, EXIT } from './context.ts';
import { whoActs } from './who.ts';
import { tellUnserved } from './work.ts';

export const skip: Command = async (context, [run, task], options) => {
  const { output, clock } = context;
  const store = await context.store();
  const skipped = await skipTask(store, clock, run, task ?? '', whoActs(options));
  if (options.json === true) output.json(skipped);
  else output.print(`Skipped ${skipped.task} of run ${skipped.runId}; it was ${skipped.before}`);
  await tellUnserved(context, skipped.runId);
  return EXIT.ok;
};
