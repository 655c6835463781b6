/** `planq why <run> [task]` */
import { whyRun, whyTask } from '../control/why.ts';
import { type Command, EXIT } from './context.ts';
import { renderRunWhy, renderTaskWhy } from './render/why.ts';

export const why: Command = async (context, [run, task], options) => {
  const { output, clock } = context;
  const store = await context.store();
  const answer = task === undefined ? await whyRun(store, clock, run) : await whyTask(store, clock, run, task);
  if (options.json === true) output.json(answer);
  else output.printLines('task' in answer ? renderTaskWhy(answer, clock.now()) : renderRunWhy(answer));
  return EXIT.ok;
};
