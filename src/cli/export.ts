/** `planq export <run>` */
import path from 'node:path';
import { exportRun, writeExport } from '../control/export-run.ts';
import { type Command, EXIT } from './context.ts';

export const exportCommand: Command = async (context, [run], options) => {
  const { output, cwd } = context;
  const exported = await exportRun(await context.store(), run);
  const out = options.out ?? '-';
  if (out === '-') {
    output.json(exported);
    return EXIT.ok;
  }
  const folder = path.resolve(cwd, out);
  await writeExport(exported, folder);
  if (options.json === true) output.json({ runId: exported.run.id, folder });
  else output.print(path.join(folder, 'run.json'));
  return EXIT.ok;
};
