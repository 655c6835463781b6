/** A run with what its plan says of it and where its files are. */
import path from 'node:path';
import type { RunView } from '../flows/run-view.ts';
import type { Barrier, Plan } from '../plan/plan.ts';
import type { Store } from '../producer/store.ts';
import type { RunContext } from '../producer/submit.ts';
import { PlanqError } from '../runtime/errors.ts';
import { showRun } from './find-run.ts';

export interface RunDetails extends RunView {
  description: string;
  barrier: Barrier;
  /** The plan's file or folder, as it was named. */
  source: string;
  projectDir: string;
  /** Absolute. */
  workspaceDir: string;
  /** What a missing input means. */
  inputs: 'strict' | 'warn';
}

/** @throws PlanqError `run_not_found` */
export async function showRunDetails(store: Store, text: string | undefined): Promise<RunDetails> {
  const view = await showRun(store, text);
  const { id } = view.run;
  const [plan, meta] = await Promise.all([store.record.readPlan(id), store.record.readMeta(id)]);
  if (plan === null || meta?.context === undefined)
    throw new PlanqError('record_damaged', `cannot read run ${id}: its plan is gone`);
  const { description, barrier, source } = JSON.parse(plan) as Plan;
  const context = JSON.parse(meta.context) as RunContext;
  return {
    ...view,
    description,
    barrier,
    source: source.file,
    projectDir: context.projectDir,
    workspaceDir: path.resolve(context.projectDir, context.workspace),
    inputs: context.inputs,
  };
}
