/** `planq inbox` */
import { listInbox } from '../control/inbox.ts';
import { type Command, EXIT } from './context.ts';
import { renderInbox } from './render/inbox.ts';

export const inbox: Command = async (context, _args, options) => {
  const { output, clock } = context;
  const items = await listInbox(await context.store());
  if (options.json === true) output.json({ items });
  else if (items.length === 0) output.note('nothing waits for a person');
  else output.printLines(renderInbox(items, clock.now()));
  return EXIT.ok;
};
