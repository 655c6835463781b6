/** `planq cancel <run>` */
import { cancelRun } from '../control/cancel-run.ts';
import { showRun } from '../control/find-run.ts';
import { completionLine } from '../flows/report.ts';
import { type Command, EXIT } from './context.ts';
import { count } from './terminal/text.ts';

const WAIT_MS = 5000;

export const cancel: Command = async (context, [run], options) => {
  const { output, clock } = context;
  const store = await context.store();
  const cancelled = await cancelRun(store, clock, run, WAIT_MS);
  const view = await showRun(store, cancelled.runId);
  if (options.json === true) output.json({ ...cancelled, counts: view.run.counts });
  else output.print(`Run ${cancelled.runId} is cancelled: ${completionLine(view)}`);
  if (cancelled.stillRunning === 0) return EXIT.ok;
  output.complain(
    `${count(cancelled.stillRunning, 'task')} did not stop within ${WAIT_MS / 1000} s; their workers go on stopping them`,
  );
  return EXIT.failed;
};
