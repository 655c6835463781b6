/** The end of following: the report of a run at rest, and the exit code that belongs to it. */
import { listWaiting } from '../control/inbox.ts';
import { toReport } from '../flows/report.ts';
import type { RunView } from '../flows/run-view.ts';
import { type Context, EXIT } from './context.ts';
import { renderReport } from './render/report.ts';

/** Prints the report. @returns 0 completed, 9 when only approvals are waited for, 1 otherwise */
export async function conclude(context: Context, view: RunView, json: boolean): Promise<number> {
  const { output } = context;
  const { id, state } = view.run;
  const waiting = state === 'blocked' ? await listWaiting(await context.store(), id) : [];
  const approvals = waiting.filter(({ kind }) => kind === 'approval');
  const report = toReport(view);
  const waitingFor = approvals.map(({ subject }) => subject);
  if (json) output.json({ type: 'report', ...report, ...(waitingFor.length === 0 ? {} : { waitingFor }) });
  else output.printLines(renderReport(report, waitingFor));
  if (state === 'completed') return EXIT.ok;
  return waiting.length > 0 && approvals.length === waiting.length ? EXIT.waiting : EXIT.failed;
}
