/** Why a task or a run does not go on, or what it does. */
import type { RunView } from '../flows/run-view.ts';
import { explainTask, type TaskWhy } from '../flows/why.ts';
import { explainRun, type RunWhy } from '../flows/why-run.ts';
import { isSettled } from '../plan/states.ts';
import { unservedMasters } from '../producer/fleet.ts';
import type { Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { findTaskIndex, showRun } from './find-run.ts';
import { listWaiting } from './inbox.ts';
import { livingWorkers } from './living-workers.ts';
import { readHolds } from './read-holds.ts';
import { readTaskFacts } from './read-why-facts.ts';

/** @throws PlanqError `run_not_found`, `task_not_found` */
export async function whyTask(store: Store, clock: Clock, text: string | undefined, task: string): Promise<TaskWhy> {
  const view = await showRun(store, text);
  return explainTask(await readTaskFacts(store, clock, view.run.id, findTaskIndex(view, task)));
}

/** @throws PlanqError `run_not_found` */
export async function whyRun(store: Store, clock: Clock, text: string | undefined): Promise<RunWhy> {
  const view = await showRun(store, text);
  const masters = mastersLeft(view);
  const [holds, waiting, workers] = await Promise.all([
    readHolds(store, ['all', ...masters.map((master) => `master:${master}`), `run:${view.run.id}`]),
    listWaiting(store, view.run.id),
    livingWorkers(store, clock),
  ]);
  const unserved = unservedMasters(workers, masters);
  return explainRun({ now: clock.now(), run: view.run, tasks: view.tasks, holds, waiting, unserved });
}

/** Of the tasks that have not ended. */
function mastersLeft({ tasks }: RunView): string[] {
  return [...new Set(tasks.filter(({ state }) => !isSettled(state)).map(({ master }) => master))];
}
