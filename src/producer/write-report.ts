/** The files in which a run's end is told: `report.json` and `report.md` in its workspace. */
import path from 'node:path';
import { toMarkdown, toReport } from '../flows/report.ts';
import { makeFolder, writeFileAtomic } from '../runtime/files.ts';
import { readRun } from './read-run.ts';
import type { Store } from './store.ts';
import type { RunContext } from './submit.ts';

/** Writing them again does no harm. A run that leaves no files has none, nor has one that is gone. @throws file system errors */
export async function writeReport(store: Store, run: string): Promise<void> {
  const [meta, view] = await Promise.all([store.record.readMeta(run), readRun(store, run)]);
  if (meta === null || view === null || meta.noFiles !== undefined) return;
  const context = JSON.parse(meta.context ?? '{}') as RunContext;
  const report = toReport(view);
  // An undo run works in the folder of the run that it takes back, whose report stays.
  const file = view.run.undoOf === undefined ? 'report' : 'undo-report';
  const name = path.resolve(context.projectDir, context.workspace, file);
  // A run that was cancelled before any of its tasks began has made no workspace yet.
  await makeFolder(path.dirname(name));
  await writeFileAtomic(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  await writeFileAtomic(`${name}.md`, toMarkdown(report));
}
