/**
 * The operator's verbs that change what may run: pause and resume, skip. Each is one script call; then the jobs that it
 * freed get moving.
 */
import { promoteGrants } from '../producer/grants.ts';
import { revive } from '../producer/revive.ts';
import type { Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { nearestWord } from '../runtime/nearest.ts';
import { dropJobs } from './drop-jobs.ts';
import { findRunId, findTaskIndex, showRun } from './find-run.ts';

/** What a pause or resume is about. */
export type HoldTarget =
  | { kind: 'all' }
  | { kind: 'master'; master: string }
  | { kind: 'run'; run: string | undefined };

export interface Held {
  /** `all`, `master:<name>` or `run:<id>`. */
  name: string;
  /** Whether it was paused before. */
  wasHeld: boolean;
}

const REVIVE_WAIT_MS = 3000;

/** Nothing new of the target starts; what runs goes on. @throws PlanqError `run_not_found`, `wrong_state` */
export async function pause(
  store: Store,
  clock: Clock,
  target: HoldTarget,
  by: string,
  comment: string,
): Promise<Held> {
  const name = await holdName(store, target);
  if (target.kind === 'run') await refuseEnded(store, name.slice('run:'.length));
  return { name, wasHeld: await store.steering.hold(name, { by, at: clock.now(), comment }) };
}

/** Lifts a pause and wakes what waited for that. @throws PlanqError `run_not_found` */
export async function resume(store: Store, target: HoldTarget): Promise<Held> {
  const name = await holdName(store, target);
  const first = await store.steering.release(name);
  for (let { woken } = first; woken.length > 0; { woken } = await store.steering.release(name))
    await promoteGrants(store, woken);
  return { name, wasHeld: first.wasHeld };
}

async function holdName(store: Store, target: HoldTarget): Promise<string> {
  if (target.kind === 'all') return 'all';
  if (target.kind === 'run') return `run:${await findRunId(store, target.run)}`;
  const masters = await store.redis.smembers(store.keys.masters);
  if (!masters.includes(target.master)) {
    const near = nearestWord(target.master, masters);
    throw new PlanqError('usage', `cannot find master "${target.master}": no plan has named it`, {
      hint: near === undefined ? `known: ${masters.sort().join(', ') || 'none yet'}` : `did you mean "${near}"?`,
    });
  }
  return `master:${target.master}`;
}

async function refuseEnded(store: Store, run: string): Promise<void> {
  const state = (await store.record.readMeta(run))?.state ?? '';
  if (['completed', 'failed', 'cancelled'].includes(state))
    throw new PlanqError(
      'wrong_state',
      `cannot pause run ${run}: it has ${state === 'cancelled' ? 'been cancelled' : state}`,
      { facts: { state } },
    );
}

export interface Skipped {
  runId: string;
  task: string;
  /** The state that it had. */
  before: string;
}

/**
 * Skips a task that is not running and has not completed; its dependents go on as if it had completed.
 * @throws PlanqError `run_not_found`, `task_not_found`, `wrong_state`
 */
export async function skipTask(
  store: Store,
  clock: Clock,
  text: string | undefined,
  task: string,
  by: string,
): Promise<Skipped> {
  const view = await showRun(store, text);
  const runId = view.run.id;
  const index = findTaskIndex(view, task);
  const reply = await store.steering.skip(runId, index, `skipped by ${by}`);
  if (reply.status === 'skipped') {
    await dropJobs(store, runId, [index]);
    await revive(store, clock, runId, reply.outbox, REVIVE_WAIT_MS);
    return { runId, task, before: reply.before };
  }
  const what = reply.status === 'ended' ? `the run is ${reply.before}` : `it is ${reply.before}`;
  throw new PlanqError('wrong_state', `cannot skip task "${task}" of run ${runId}: ${what}`, {
    hint:
      reply.before === 'running' ? 'cancel the run, or wait until the task has ended' : `see "planq status ${runId}"`,
    facts: { state: reply.before },
  });
}
