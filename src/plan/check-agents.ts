/**
 * Who does the work: every task has an agent, and its kind exists.
 */
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';
import { didYouMean, problem } from './codes.ts';
import type { Draft, DraftTask } from './draft.ts';
import type { Task } from './plan.ts';
import type { ValidateOptions } from './validate-options.ts';

/** Agents that stand in for others: what they have not done is not taken back. */
const STAND_INS: ReadonlySet<string> = new Set(['fake', 'noop']);

/**
 * Gives a task the agent that everybody gets, or the default where it names none; `run` stays as data. Options meant for its own kind are dropped, since another kind
 * would refuse them; so is the undo where a stand-in does the task.
 */
export function withAgent(task: Task, options: Pick<ValidateOptions, 'agent' | 'defaultAgent'>): Task {
  const agent = options.agent ?? task.agent ?? options.defaultAgent ?? null;
  if (agent === task.agent) return task;
  const { undo, ...rest } = { ...task, agent, with: {} };
  return undo === undefined || STAND_INS.has(options.agent ?? '') ? rest : { ...rest, undo };
}

/** Checks the kinds of agents; one problem for each unknown word, however many tasks use it. */
export function checkAgents(draft: Draft, options: ValidateOptions): Problem[] {
  const { knownAgents, agent: override, defaultAgent } = options;
  if (override !== undefined) return knownAgents.has(override) ? [] : [unknownAgent(override, knownAgents, {}, '')];
  const groups = groupByAgent(draft.tasks);
  return [...groups].flatMap(([agent, tasks]) => {
    const place = tasks[0]!.place('agent');
    if (agent !== null)
      return knownAgents.has(agent) ? [] : [unknownAgent(agent, knownAgents, place, ` of ${nameAll(tasks)}`)];
    if (defaultAgent !== undefined)
      return knownAgents.has(defaultAgent) ? [] : [unknownAgent(defaultAgent, knownAgents, {}, ' (the default)')];
    const lacking = tasks.filter((task) => !task.damaged);
    return lacking.length === 0 ? [] : [noAgent(lacking)];
  });
}

function groupByAgent(tasks: readonly DraftTask[]): Map<string | null, DraftTask[]> {
  const groups = new Map<string | null, DraftTask[]>();
  for (const one of tasks) {
    const group = groups.get(one.task.agent);
    if (group === undefined) groups.set(one.task.agent, [one]);
    else group.push(one);
  }
  return groups;
}

function unknownAgent(
  agent: string,
  known: ReadonlySet<string>,
  place: ReturnType<DraftTask['place']>,
  owner: string,
): Problem {
  const hint = didYouMean(nearestWord(agent, known)) ?? `known: ${[...known].join(', ')}`;
  return problem('unknown-agent', `agent "${agent}"${owner} does not exist`, place, { hint });
}

function noAgent(tasks: readonly DraftTask[]): Problem {
  const message = `${nameAll(tasks)} ${tasks.length === 1 ? 'has' : 'have'} neither "run" nor "agent"`;
  return problem('no-agent', message, tasks[0]!.place('id'), {
    hint: 'add one, put "agent" into "defaults", or give --agent <kind>',
  });
}

function nameAll(tasks: readonly DraftTask[]): string {
  const count = new Set(tasks.map(({ name }) => name)).size - 1;
  return `task "${tasks[0]!.name}"${count === 0 ? '' : ` and ${count} more`}`;
}
