/** `planq report [run]` */
import { showRun } from '../control/find-run.ts';
import { toMarkdown, toReport } from '../flows/report.ts';
import { type Command, EXIT } from './context.ts';
import { renderReport } from './render/report.ts';

export const report: Command = async (context, [run], options) => {
  const { output } = context;
  const made = toReport(await showRun(await context.store(), run));
  const format = options.json === true ? 'json' : (options.format ?? 'text');
  if (format === 'json') output.json(made);
  else if (format === 'markdown') output.print(toMarkdown(made).trimEnd());
  else output.printLines(renderReport(made));
  return EXIT.ok;
};
