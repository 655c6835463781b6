/**
 * What `run`, `retry` and `watch` share: follow a run, perform its tasks here where nobody else does, end in order on
 * Ctrl-C, print the report.
 */
import { showRun } from '../control/find-run.ts';
import { waitFinalised } from '../control/wait-finalised.ts';
import type { RunView } from '../flows/run-view.ts';
import { isAtRest, isFinal } from '../plan/states.ts';
import { conclude } from './conclude.ts';
import { type Context, EXIT } from './context.ts';
import { follow } from './follow.ts';
import { createFollower } from './live/follower.ts';
import { count } from './terminal/text.ts';
import { Workforce } from './workforce.ts';

export interface WorkInput {
  runId: string;
  masters: readonly string[];
  /** Stream id to follow from. */
  cursor: string;
  /** Perform tasks in this process where no worker serves them. */
  work: boolean;
  json: boolean;
}

/** How long to wait for the run job to write its report. */
const REPORT_WAIT_MS = 5000;

/** Follows the run to its rest. @returns the exit code: 0 completed, 9 waits for approval, 1 otherwise, 130 interrupted before */
export async function workAndFollow(context: Context, input: WorkInput): Promise<number> {
  const { app, output, clock } = context;
  const store = await context.store();
  const workforce = new Workforce(app, input.masters);
  const stop = new AbortController();
  listenForStop(context, workforce, stop);
  try {
    await prepare(context, workforce, input);
    const follower = createFollower(output, clock, input.json);
    const onTick = input.work ? () => workforce.ensure() : undefined;
    const view = await follow({
      store,
      clock,
      runId: input.runId,
      cursor: input.cursor,
      follower,
      signal: stop.signal,
      ...(onTick === undefined ? {} : { onTick }),
    });
    if (!isAtRest(view.run.state)) return await tellHowToGoOn(context, workforce, view);
    if (workforce.isHere && !workforce.isOver && isFinal(view.run.state))
      await waitFinalised(store, clock, input.runId, REPORT_WAIT_MS);
    return await conclude(context, view, input.json);
  } finally {
    await workforce.stop();
  }
}

/**
 * For whoever is about to let a run begin that this process will have to work: what would keep its pool from starting is
 * told while nothing has happened yet.
 * @throws PlanqError `config_invalid` when the secret of a receiver of notifications is missing
 */
export async function requireAbleToWork({ app }: Context, masters: readonly string[]): Promise<void> {
  if ((await new Workforce(app, masters).unserved()).length > 0) await app.checkNotify();
}

async function prepare({ output }: Context, workforce: Workforce, input: WorkInput): Promise<void> {
  if (input.work) return workforce.ensure();
  const unserved = await workforce.unserved();
  if (unserved.length > 0) output.note(noWorkerNote(input.runId, unserved));
}

/** For whoever leaves work to workers that are not there. */
export function noWorkerNote(runId: string, unserved: readonly string[]): string {
  const masters = `${unserved.length === 1 ? 'master' : 'masters'} ${unserved.join(', ')}`;
  return `no worker serves the ${masters} yet: start "planq worker", or "planq watch ${runId} --work"`;
}

/** For whoever let a run go on without working it: says when nobody does. */
export async function tellUnserved({ app, output, store }: Context, runId: string): Promise<void> {
  const view = await showRun(await store(), runId);
  if (isAtRest(view.run.state)) return;
  const unserved = await new Workforce(app, mastersOf(view)).unserved();
  if (unserved.length > 0) output.note(noWorkerNote(runId, unserved));
}

/** The first signal ends in order: tasks that run here may end, then they are handed back. The second does not wait. */
function listenForStop({ output, signals, app }: Context, workforce: Workforce, stop: AbortController): void {
  signals.listen((times) => {
    if (times > 1) return workforce.hurry();
    if (workforce.running > 0) {
      const seconds = Math.round(app.config.times.drainMs / 1000);
      output.complain(
        `stopping: ${count(workforce.running, 'task')} may end within ${seconds} s, then what still runs is handed back; Ctrl-C again to do so now`,
      );
    }
    void workforce
      .stop()
      .catch(() => undefined)
      .finally(() => stop.abort());
  });
}

async function tellHowToGoOn({ output }: Context, workforce: Workforce, view: RunView): Promise<number> {
  const { id, counts } = view.run;
  await workforce.stop();
  const isServed = (await workforce.unserved()).length === 0;
  const done = `${counts.completed} of ${counts.total} tasks are completed`;
  const handed = workforce.isHere ? '; what ran here was handed back and used no attempt' : '';
  output.complain(
    isServed
      ? `run ${id} goes on without this terminal: ${done}${handed}\n  → follow it: planq watch ${id}`
      : `run ${id} waits for a worker: ${done}${handed}\n  → go on: planq watch ${id} --work`,
  );
  return EXIT.interrupted;
}

/** The masters that a run's tasks name. */
export function mastersOf(view: RunView): string[] {
  return [...new Set(view.tasks.map((task) => task.master))];
}
