/**
 * From what a person types to a run: a run id, the beginning of one, or nothing for the newest.
 */
import { gateNames } from '../flows/gate-names.ts';
import { parseTaskRecord, type RunView } from '../flows/run-view.ts';
import { readRun } from '../producer/read-run.ts';
import type { Store } from '../producer/store.ts';
import { PlanqError } from '../runtime/errors.ts';
import { nearestWord } from '../runtime/nearest.ts';

const LOOK_BACK = 1000;

/**
 * @param text run id, a beginning that only one run has, or undefined for the newest run
 * @throws PlanqError `run_not_found`, with the nearest id as a hint; `usage` for a blank text, the beginning of every id
 */
export async function findRunId(store: Store, text: string | undefined): Promise<string> {
  if (text?.trim() === '')
    throw new PlanqError('usage', 'cannot find a run by an empty id', { hint: 'see "planq list"' });
  const runs = await store.record.listRuns(LOOK_BACK);
  if (text === undefined) {
    if (runs[0] !== undefined) return runs[0];
    throw new PlanqError('run_not_found', 'cannot find a run: there is none yet', {
      hint: 'start one with "planq run <plan>"',
    });
  }
  if (runs.includes(text)) return text;
  const matches = runs.filter((run) => run.startsWith(text));
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0 && (await store.record.readMeta(text)) !== null) return text;
  const near = nearestWord(text, runs);
  const problem = matches.length > 1 ? `${matches.length} runs begin with it` : 'there is no such run';
  throw new PlanqError('run_not_found', `cannot find run "${text}": ${problem}`, {
    hint: near === undefined ? 'see "planq list"' : `did you mean "${near}"? See "planq list"`,
    facts: { run: text },
  });
}

/** The run whole. @throws PlanqError `run_not_found` */
export async function showRun(store: Store, text: string | undefined): Promise<RunView> {
  const id = await findRunId(store, text);
  const view = await readRun(store, id);
  if (view === null)
    throw new PlanqError('run_not_found', `cannot find run "${id}": there is no such run`, {
      hint: 'see "planq list"',
    });
  return view;
}

/** The names of a run's gates by their indexes, which follow those of the tasks; none when it is gone. */
export async function readGateNames(store: Store, run: string): Promise<Map<number, string>> {
  return gateNames((await store.record.readMeta(run)) ?? {});
}

/** Which of these gates of a run wait for approval, by name. @param gates as {@link readGateNames} gives them */
export async function readWantedGates(
  store: Store,
  run: string,
  gates: ReadonlyMap<number, string>,
): Promise<string[]> {
  const indexes = [...gates.keys()];
  const records = await store.record.readFields(run, 'tasks', indexes);
  const wanted = indexes.filter((_, at) => parseTaskRecord(records[at]).ap === 1);
  return [...new Set(wanted.map((index) => gates.get(index)!))];
}

/** Index of a task of a run. @throws PlanqError `task_not_found`, with the nearest id as a hint */
export function findTaskIndex(view: RunView, task: string): number {
  const index = view.tasks.findIndex((candidate) => candidate.id === task);
  if (index >= 0) return index;
  const near = nearestWord(
    task,
    view.tasks.map((candidate) => candidate.id),
  );
  throw new PlanqError('task_not_found', `cannot find task "${task}" in run ${view.run.id}`, {
    hint: near === undefined ? `see "planq status ${view.run.id}"` : `did you mean "${near}"?`,
    facts: { run: view.run.id, task },
  });
}
