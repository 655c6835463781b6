/**
 * Inputs and the outputs they come from. A declared output is tried before a file of the project that happens to have the
 * same path, so that a stale file never passes for a result.
 */
import type { Problem } from '../runtime/problem.ts';
import { findAncestors, type IsAncestor } from './ancestors.ts';
import { problem } from './codes.ts';
import { type FindProducers, indexOutputs } from './declared-outputs.ts';
import type { Draft } from './draft.ts';
import type { KnownOrder } from './known-order.ts';
import { placeKey } from './paths.ts';
import { orderPhases } from './phases.ts';
import type { FileRef, Plan, Task } from './plan.ts';
import { needIndexes, stageNumbers } from './stages.ts';

/** Puts the candidates that some task declares as an output first. */
export function linkInputs(tasks: Task[]): Task[] {
  const find = indexOutputs(tasks);
  return tasks.map((task) => {
    if (task.inputs.length === 0) return task;
    return { ...task, inputs: task.inputs.map((input) => declaredFirst(input, task.id, find)) };
  });
}

function declaredFirst(input: FileRef, taskId: string, find: FindProducers): FileRef {
  if (input.candidates.length < 2) return input;
  const isDeclared = (candidate: FileRef['candidates'][number]): boolean =>
    find(absolute(candidate, taskId), input.glob).length > 0;
  const declared = input.candidates.filter(isDeclared);
  return declared.length === 0
    ? input
    : { ...input, candidates: [...declared, ...input.candidates.filter((one) => !declared.includes(one))] };
}

/** Warns of inputs that nobody declares, and of those that come from a task that need not have ended. */
export function checkInputs(plan: Plan, draft: Draft, { isWhole }: KnownOrder): Problem[] {
  const find = indexOutputs(plan.tasks);
  // With a need that is not known, nobody can say what it would have brought before.
  const endsBefore = isWhole ? orderOf(plan) : () => true;
  const firsts = new Set(draft.tasks.map(({ name }) => name));
  const folders = new Set([...plan.tasks.map(({ id }) => id.split('/')[0]!), ...firsts]);
  return plan.tasks.flatMap((task, index) =>
    task.inputs.flatMap((input, entry) => {
      const place = draft.tasks[index]!.place('inputs', entry);
      const producers = input.candidates.flatMap((candidate) => find(absolute(candidate, task.id), input.glob));
      if (producers.length === 0) return isPromise(input, folders) ? [undeclared(task, input, place)] : [];
      if (producers.some((producer) => producer === index || endsBefore(producer, index))) return [];
      return [notUpstream(task, plan.tasks[producers[0]!]!, input, place)];
    }),
  );
}

/** True when the input can only be another task's output; other paths are files of the project, looked for at run time. */
function isPromise({ text }: FileRef, folders: ReadonlySet<string>): boolean {
  if (text.startsWith('workspace/')) return text.startsWith('workspace/outputs/');
  return text.startsWith('../') || folders.has(text.split('/')[0]!);
}

function absolute(candidate: FileRef['candidates'][number], taskId: string): FileRef['candidates'][number] {
  return candidate.base === 'output'
    ? { base: 'workspace', path: placeKey(candidate, taskId).slice('workspace:'.length) }
    : candidate;
}

/** Needs, and what the barrier adds to them. */
function orderOf(plan: Plan): IsAncestor {
  const isAncestor = findAncestors(needIndexes(plan.tasks));
  const ranks = barrierRanks(plan);
  return (ancestor, node) => isAncestor(ancestor, node) || ranks[ancestor]! < ranks[node]!;
}

function barrierRanks(plan: Plan): number[] {
  if (plan.barrier === 'stage') return stageNumbers(plan);
  const phases = plan.barrier === 'phase' ? orderPhases(plan) : undefined;
  return plan.tasks.map(({ phase }) => (phases?.ok ? phases.value.indexOf(phase) : 0));
}

function undeclared(task: Task, input: FileRef, place: ReturnType<Draft['place']>): Problem {
  const message = `task "${task.id}" has the input "${input.text}", which no task declares as an output`;
  return problem('undeclared-input', message, place, { severity: 'warning' });
}

function notUpstream(task: Task, producer: Task, input: FileRef, place: ReturnType<Draft['place']>): Problem {
  const message = `task "${task.id}" has the input "${input.text}" of task "${producer.id}", which need not have ended before`;
  return problem('input-not-upstream', message, place, {
    severity: 'warning',
    hint: `add "${producer.id}" to its needs`,
  });
}
