/** `planq watch [run]` */
import { newestCursor } from '../control/cursor.ts';
import { showRun } from '../control/find-run.ts';
import { isAtRest } from '../plan/states.ts';
import { conclude } from './conclude.ts';
import type { Command } from './context.ts';
import { mastersOf, workAndFollow } from './work.ts';

export const watch: Command = async (context, [run], options) => {
  const store = await context.store();
  const cursor = await newestCursor(store);
  const view = await showRun(store, run);
  const json = options.json === true;
  if (isAtRest(view.run.state)) return conclude(context, view, json);
  return workAndFollow(context, {
    runId: view.run.id,
    masters: mastersOf(view),
    cursor,
    work: options.work === true,
    json,
  });
};
