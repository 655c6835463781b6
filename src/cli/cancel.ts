/** `planq cancel <run>` */
import { cancelRun, undoRun } from '../control/cancel-run.ts';
import { showRun } from '../control/find-run.ts';
import { completionLine } from '../flows/report.ts';
import { type Command, EXIT } from './context.ts';
import { renderUndo } from './render/undo.ts';
import { count } from './terminal/text.ts';
import { tellUnserved } from './work.ts';

const WAIT_MS = 5000;

export const cancel: Command = async (context, [run], options) => {
  const { app, output, clock } = context;
  const store = await context.store();
  const withUndo = options.undo === true;
  const cancelled = withUndo
    ? await undoRun({ store, config: app.config, clock }, run, WAIT_MS)
    : await cancelRun(store, clock, run, WAIT_MS);
  const view = await showRun(store, cancelled.runId);
  if (options.json === true) output.json({ ...cancelled, counts: view.run.counts });
  else {
    const { state } = view.run;
    output.print(`Run ${cancelled.runId} ${state === 'cancelled' ? 'is' : 'has'} ${state}: ${completionLine(view)}`);
    if (cancelled.undo !== undefined) output.printLines(renderUndo(cancelled.undo));
  }
  // Asked for long ago, the undo run may have been removed since.
  if (cancelled.undo?.run) await tellUnserved(context, cancelled.undo.run).catch(() => undefined);
  if (cancelled.stillRunning === 0) return EXIT.ok;
  output.complain(
    `${count(cancelled.stillRunning, 'task')} did not stop within ${WAIT_MS / 1000} s; their workers go on stopping them`,
  );
  return EXIT.failed;
};
