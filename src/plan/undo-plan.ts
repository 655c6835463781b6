/**
 * From a plan and what completed of it to the plan that takes it back: one task for each completed task with `undo`, each
 * after those that take back what needed it, or waited for it behind a barrier. Pure.
 */
import { compileGraph } from './graph.ts';
import { dependentsOf, topologicalOrder } from './order.ts';
import type { Need, Plan, Task } from './plan.ts';

/** What may be spent on needs; a denser plan is taken back stage by stage instead, which keeps the same order. */
const MOST_NEEDS = 200_000;

/**
 * Compiles the undo of a run.
 * @param completed ids of the tasks that have completed
 * @returns null when none of them can be undone
 */
export function compileUndo(plan: Plan, run: string, completed: ReadonlySet<string>): Plan | null {
  const chosen = plan.tasks.flatMap(({ id, undo }, index) => (undo !== undefined && completed.has(id) ? [index] : []));
  if (chosen.length === 0) return null;
  // With the gates, so that what waited for a stage or phase only is taken back before it as well.
  const needs = compileGraph(plan).nodes.map((node) => [...new Set(node.needs.map(({ from }) => from))]);
  const isChosen = new Set(chosen);
  const after = nextChosen(needs, isChosen);
  const prefix = freePrefix(plan.tasks, chosen);
  const idOf = (index: number): string => `${prefix}${plan.tasks[index]!.id}`;
  const tasks = chosen.map((index) => toUndoTask(plan.tasks[index]!, run, index, idOf(index)));
  const common = {
    name: `Undo ${plan.name}`,
    description: `Takes back what run ${run} has completed.`,
    limits: plan.limits,
    onFailure: 'continue' as const,
    source: plan.source,
  };
  if (after === null) return { ...common, barrier: 'stage', stages: levels(needs, isChosen, idOf), tasks };
  const withNeeds = tasks.map((task, at) => ({ ...task, needs: toNeeds(after[chosen[at]!]!, idOf) }));
  return { ...common, barrier: 'none', stages: null, tasks: withNeeds };
}

function toUndoTask(task: Task, run: string, index: number, id: string): Task {
  const { undo, approval: _approval, ...rest } = task;
  return {
    ...rest,
    id,
    title: `Undo ${task.title}`,
    prompt: '',
    needs: [],
    agent: 'command',
    run: undo ?? null,
    with: {},
    inputs: [],
    outputs: [],
    check: null,
    estimate: null,
    continueOnError: false,
    undoes: { run, task: task.id, index },
  };
}

/** An undo that fails does not keep the others from running. */
function toNeeds(indexes: ReadonlySet<number>, idOf: (index: number) => string): Need[] {
  return [...indexes].sort((a, b) => a - b).map((index) => ({ task: idOf(index), when: 'done' as const }));
}

/**
 * For each task the chosen ones among those that need it, directly or over tasks that are not chosen.
 * @returns null when that is too much to write down
 */
function nextChosen(needs: readonly (readonly number[])[], chosen: ReadonlySet<number>): ReadonlySet<number>[] | null {
  const dependents = dependentsOf(needs);
  const after = needs.map(() => new Set<number>());
  let spent = 0;
  for (const index of topologicalOrder(needs).reverse()) {
    for (const dependent of dependents[index]!) {
      const found = chosen.has(dependent) ? [dependent] : after[dependent]!;
      for (const one of found) after[index]!.add(one);
      spent += 'size' in found ? found.size : 1;
      if (spent > MOST_NEEDS) return null;
    }
  }
  return after;
}

/** Ids by how many chosen tasks come after them, longest chain counted: the last of the plan first. */
function levels(
  needs: readonly (readonly number[])[],
  chosen: ReadonlySet<number>,
  idOf: (index: number) => string,
): string[][] {
  const dependents = dependentsOf(needs);
  const level = new Array<number>(needs.length).fill(0);
  const stages: string[][] = [];
  for (const index of topologicalOrder(needs).reverse()) {
    for (const dependent of dependents[index]!)
      level[index] = Math.max(level[index]!, level[dependent]! + (chosen.has(dependent) ? 1 : 0));
    if (!chosen.has(index)) continue;
    stages[level[index]!] ??= [];
    stages[level[index]!]!.push(idOf(index));
  }
  return stages;
}

/** The files of both runs lie side by side: no folder of one may be, or lie in, a folder of the other. */
function freePrefix(tasks: readonly Task[], chosen: readonly number[]): string {
  const taken = new Set(tasks.flatMap(({ id }) => foldersOf(id)));
  const own = new Set(tasks.map(({ id }) => id));
  for (let number = 1; ; number++) {
    const prefix = number === 1 ? 'undo-' : `undo${number}-`;
    const isFree = chosen.every((index) => {
      const folders = foldersOf(`${prefix}${tasks[index]!.id}`);
      return !taken.has(folders.at(-1)!) && !folders.some((folder) => own.has(folder));
    });
    if (isFree) return prefix;
  }
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
function foldersOf(id: string): string[] {
  const parts = id.split('/');
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}
