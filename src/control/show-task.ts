/**
 * One task of a run, with what its definition says and where its files are.
 */

import type { TaskDefinition } from '../flows/definition.ts';
import { readDefinition } from '../flows/read-definition.ts';
import { parseTaskRecord, type TaskView } from '../flows/run-view.ts';
import type { JsonValue } from '../plan/plan.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { taskPaths } from '../producer/workspace.ts';
import { PlanqError } from '../runtime/errors.ts';
import { findTaskIndex, showRun } from './find-run.ts';

export interface TaskDetails {
  runId: string;
  task: TaskView;
  definition: TaskDefinition;
  /** What it wrote to PLANQ_OUTPUT. */
  values: Record<string, JsonValue>;
  /** Worker that has or had it. */
  worker: string | null;
  pid: number | null;
  /** Percent it reported last. */
  progress: number | null;
  crashes: number;
  /** Attempts used before the last retry by a person; the task's `attempt` counts on from there. */
  attemptsBefore: number;
  logFile: string;
  outputDir: string;
}

/** @throws PlanqError `run_not_found`, `task_not_found` */
export async function showTask(store: Store, runText: string | undefined, taskId: string): Promise<TaskDetails> {
  const view = await showRun(store, runText);
  const { id } = view.run;
  const index = findTaskIndex(view, taskId);
  const [[def], record, [values], meta] = await Promise.all([
    store.record.readDefs(id, [index]),
    store.record.readTask(id, index),
    store.record.readFields(id, 'out', [index]),
    store.record.readMeta(id),
  ]);
  const definition = readDefinition(def);
  if (definition === null || meta === null) {
    const fault = def === null || meta === null ? 'gone' : 'damaged';
    throw new PlanqError('record_damaged', `cannot read task "${taskId}" of run ${id}: its definition is ${fault}`);
  }
  const context = JSON.parse(meta.context ?? '{}') as RunContext;
  const { logFile, outputDir } = taskPaths(context.projectDir, context.workspace, taskId);
  const state = parseTaskRecord(record);
  return {
    runId: id,
    task: view.tasks[index]!,
    definition,
    values: JSON.parse(values ?? '{}') as Record<string, JsonValue>,
    worker: state.w ?? null,
    pid: state.s === 'running' ? (state.pid ?? null) : null,
    progress: state.p ?? null,
    crashes: state.c ?? 0,
    attemptsBefore: state.z ?? 0,
    logFile,
    outputDir,
  };
}

/** The last lines of a task's output as Redis has them, for machines that do not see the log file. */
export async function readTaskTail(store: Store, details: TaskDetails): Promise<string[]> {
  const view = await showRun(store, details.runId);
  return store.record.readTail(details.runId, findTaskIndex(view, details.task.id));
}
