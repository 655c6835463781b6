/** All that there is to know of a run or a task. Pure. */
import type { RunDetails } from '../../control/show-run.ts';
import type { TaskDetails } from '../../control/show-task.ts';
import { attemptText } from '../../flows/attempt-text.ts';
import type { RunView } from '../../flows/run-view.ts';
import type { Estimate, Need } from '../../plan/plan.ts';
import { formatDuration } from '../../runtime/duration.ts';
import { type Line, statePart } from '../terminal/style.ts';
import { clean, columnsOf } from '../terminal/text.ts';
import { formatRange } from './minutes.ts';
import { renderStatus, whyOf } from './status.ts';

type Fact = readonly [name: string, value: string | number | null | undefined];

export function renderRunDetails(details: RunDetails, now: number): Line[] {
  const { run } = details;
  const facts = toFacts([
    ['about', details.description],
    ['plan', details.source],
    ['barrier', details.barrier],
    ['inputs', details.inputs],
    ['created', run.createdAt],
    ['started', run.startedAt],
    ['finished', run.finishedAt],
    ['project', details.projectDir],
    ['workspace', details.workspaceDir],
  ]);
  return [...facts, [], ...renderStatus(details, now)];
}

/** @param view the task's run, for the states of what it needs */
export function renderTaskDetails(details: TaskDetails, view: RunView, now: number): Line[] {
  const { task, definition } = details;
  return [
    [{ text: clean(task.title), color: 'bold' }, `  task ${task.id} of run ${details.runId}`],
    [statePart(task.state), whyOf(task) === '' ? '' : `: ${whyOf(task)}`],
    ...toFacts([
      ['attempt', task.attempt === 0 ? null : attemptText(task.attempt, definition.attempts, details.attemptsBefore)],
      ['started', task.startedAt],
      ['finished', task.finishedAt],
      ['time', timeOf(details, now)],
      ['exit code', task.exitCode],
      ['progress', details.progress === null ? null : `${details.progress} %`],
      ['worker', details.worker],
      ['pid', details.pid],
      ['crashes', details.crashes === 0 ? null : details.crashes],
      ['stage', task.stage],
      ['phase', task.phase],
      ['master', task.master],
      ['agent', task.agent],
      ['run', toCommand(definition.run)],
      ['check', toCommand(definition.check)],
      ['undo', toCommand(definition.undo ?? null)],
      ['undoes', definition.undoes === undefined ? null : `${definition.undoes.task} of run ${definition.undoes.run}`],
      ['needs', definition.needs.map((need) => needText(need, view)).join(', ')],
      ['inputs', definition.inputs.map(({ text }) => text).join(', ')],
      ['outputs', definition.outputs.map(({ text }) => text).join(', ')],
      ['takes', joinPairs(definition.takes)],
      ['matrix', joinPairs(definition.matrix)],
      ['values', joinPairs(details.values)],
      ['estimate', definition.estimate === null ? null : estimateText(definition.estimate)],
      ['log', details.logFile],
      ['output', details.outputDir],
      ['defined in', `${definition.source.file}:${definition.source.line}`],
    ]),
    ...promptLines(definition.prompt),
  ];
}

function promptLines(prompt: string): Line[] {
  if (prompt.trim() === '') return [];
  return [
    [],
    [{ text: 'prompt', color: 'dim' }],
    ...prompt
      .trimEnd()
      .split('\n')
      .map((line): Line => [`  ${clean(line)}`]),
  ];
}

/** Aligned names and values; what is not known or empty is left out. */
function toFacts(facts: readonly Fact[]): Line[] {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = known.reduce((most, [name]) => Math.max(most, columnsOf(name)), 0);
  return known.map(([name, value]) => [{ text: name.padEnd(width), color: 'dim' }, `  ${clean(String(value))}`]);
}

function timeOf({ task }: TaskDetails, now: number): string | null {
  if (task.state === 'running' && task.startedAt !== null)
    return formatDuration(Math.max(0, now - Date.parse(task.startedAt)));
  return task.durationMs === null ? null : formatDuration(task.durationMs);
}

function needText(need: Need, view: RunView): string {
  const state = view.tasks.find(({ id }) => id === need.task)?.state ?? 'unknown';
  return `${need.task} (${need.when === 'success' ? '' : `when ${need.when}, `}${state})`;
}

function toCommand(command: string | string[] | null): string | null {
  return Array.isArray(command) ? JSON.stringify(command) : command;
}

function joinPairs(pairs: Readonly<Record<string, unknown>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

function estimateText({ minMinutes, maxMinutes, tokens }: Estimate): string {
  return `${formatRange(minMinutes, maxMinutes)}${tokens === undefined ? '' : `, ${tokens} tokens`}`;
}
