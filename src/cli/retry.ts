/** `planq retry <run> [task]` */
import { newestCursor } from '../control/cursor.ts';
import { showRun } from '../control/find-run.ts';
import { retryRun } from '../control/retry-run.ts';
import { type Command, EXIT } from './context.ts';
import { nameSome } from './live/lines.ts';
import { mastersOf, noWorkerNote, workAndFollow } from './work.ts';
import { Workforce } from './workforce.ts';

export const retry: Command = async (context, [run, task], options) => {
  const { output } = context;
  const store = await context.store();
  const cursor = await newestCursor(store);
  const { runId, retried } = await retryRun(store, context.clock, run, task);
  const masters = mastersOf(await showRun(store, runId));
  if (options.detach !== true) {
    output.note(`running again: ${nameSome(retried)}`);
    return workAndFollow(context, { runId, masters, cursor, work: true, json: options.json === true });
  }
  if (options.json === true) output.json({ runId, retried });
  else output.print(`Run ${runId} goes on; running again: ${nameSome(retried)}`);
  const unserved = await new Workforce(context.app, masters).unserved();
  if (unserved.length > 0) output.note(noWorkerNote(runId, unserved));
  return EXIT.ok;
};
