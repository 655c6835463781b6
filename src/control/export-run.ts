/** All that planq knows of a run, as one document, for archives and other programs. */
import { createWriteStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Event } from '../events/event.ts';
import type { TaskDefinition } from '../flows/definition.ts';
import { gateNames } from '../flows/gate-names.ts';
import { readDefinition } from '../flows/read-definition.ts';
import { type Report, toReport } from '../flows/report.ts';
import type { RunView } from '../flows/run-view.ts';
import type { JsonValue } from '../plan/plan.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { taskPaths } from '../producer/workspace.ts';
import type { Decision } from '../redis/steering.ts';
import { toIso } from '../runtime/clock.ts';
import { makePrivateFolder, writeFileAtomic } from '../runtime/files.ts';
import { showRun } from './find-run.ts';
import { listOutputs, type OutputFile } from './list-outputs.ts';
import { readEvents } from './read-events.ts';
import { readLogFrom } from './read-log.ts';

export interface RunExport {
  /** Version of this form. */
  version: 1;
  run: RunView['run'];
  /** The plan without its tasks. */
  plan: unknown;
  tasks: ExportedTask[];
  report: Omit<Report, 'run' | 'tasks'>;
  /** What people decided, by task id or `gate:<n>`. */
  decisions: { subject: string; verdict: string | null; by: string; at: string; comment: string }[];
  /** What the stream still has; task numbers are places in `tasks`. */
  events: Event[];
  outputs: OutputFile[];
  projectDir: string;
  workspaceDir: string;
}

export interface ExportedTask {
  state: RunView['tasks'][number];
  /** Null when it is damaged. */
  definition: TaskDefinition | null;
  /** What it wrote to PLANQ_OUTPUT. */
  values: Record<string, JsonValue>;
  /** Absolute; null when there is no log. */
  logFile: string | null;
}

/** @throws PlanqError `run_not_found` */
export async function exportRun(store: Store, text: string | undefined): Promise<RunExport> {
  const view = await showRun(store, text);
  const { id } = view.run;
  const indexes = view.tasks.map((_, index) => index);
  const [meta, plan, defs, outs] = await Promise.all([
    store.record.readMeta(id),
    store.record.readPlan(id),
    store.record.readDefs(id, indexes),
    store.record.readFields(id, 'out', indexes),
  ]);
  const context = JSON.parse(meta?.context ?? '{}') as RunContext;
  const definitions = defs.map(readDefinition);
  const { run, tasks: _tasks, ...report } = toReport(view);
  return {
    version: 1,
    run,
    plan: JSON.parse(plan ?? 'null'),
    tasks: await Promise.all(
      view.tasks.map(async (state, index) => ({
        state,
        definition: definitions[index] ?? null,
        values: JSON.parse(outs[index] ?? '{}') as Record<string, JsonValue>,
        logFile: await findLog(taskPaths(context.projectDir, context.workspace, state.id).logFile),
      })),
    ),
    report,
    decisions: await readDecisions(store, view, gateNames(meta ?? {})),
    events: await readEvents(store, id, Number(meta?.createdAt ?? 0)),
    outputs: await listOutputs(
      context.projectDir,
      context.workspace,
      definitions.filter((definition) => definition !== null),
    ),
    projectDir: context.projectDir,
    workspaceDir: path.resolve(context.projectDir, context.workspace),
  };
}

/** `run.json` and `logs/<task>.log` in a folder, which is made. @throws file system errors */
export async function writeExport(exported: RunExport, folder: string): Promise<void> {
  const tasks: ExportedTask[] = [];
  for (const task of exported.tasks) {
    if (task.logFile === null) {
      tasks.push(task);
      continue;
    }
    const name = `logs/${task.state.id}.log`;
    await makePrivateFolder(path.dirname(path.join(folder, name)));
    await copyLog(task.logFile, path.join(folder, name));
    tasks.push({ ...task, logFile: name });
  }
  await makePrivateFolder(folder);
  await writeFileAtomic(path.join(folder, 'run.json'), `${JSON.stringify({ ...exported, tasks }, null, 2)}\n`);
}

async function readDecisions(
  store: Store,
  { run, tasks }: RunView,
  gates: ReadonlyMap<number, string>,
): Promise<RunExport['decisions']> {
  const stored = await store.redis.hgetall(store.keys.run(run.id, 'decisions'));
  return Object.entries(stored).map(([index, text]) => {
    const { by, at, comment, verdict } = JSON.parse(text) as Decision;
    const subject = tasks[Number(index)]?.id ?? gates.get(Number(index)) ?? index;
    return { subject, verdict: verdict ?? null, by, at: toIso(at), comment };
  });
}

/** Through what was opened and compared, so that nothing else is copied when the file is swapped meanwhile. */
async function copyLog(file: string, target: string): Promise<void> {
  await pipeline(readLogFrom(file, 0), createWriteStream(target, { mode: 0o600 }));
}

/** Only a file of its own: an agent may have put a link to something else there. */
async function findLog(file: string): Promise<string | null> {
  const stat = await lstat(file).catch(() => null);
  return stat?.isFile() ? file : null;
}
