/** A run's tasks by stage, and its progress by phase. Pure. */
import { completionLine } from '../../flows/report.ts';
import type { RunSummary, RunView, TaskView } from '../../flows/run-view.ts';
import { formatDuration } from '../../runtime/duration.ts';
import { type Line, statePart } from '../terminal/style.ts';
import { toTable } from '../terminal/table.ts';
import { clean } from '../terminal/text.ts';
import { undoLines } from './undo.ts';

/** @param now epoch ms, for what has not ended */
export function renderStatus(view: RunView, now: number): Line[] {
  return [
    ...renderHead(view, now),
    [],
    ...toTable(
      [' stage', 'task', 'state', ' attempt', ' time', 'phase', 'master', 'why'],
      [...view.tasks]
        .sort((a, b) => a.stage - b.stage)
        .map((task) => [
          String(task.stage),
          clean(task.id),
          statePart(task.state),
          task.attempt === 0 ? '' : String(task.attempt),
          timeOf(task, now),
          clean(task.phase),
          clean(task.master),
          whyOf(task),
        ]),
    ),
    [],
    ...renderPhases(view.tasks),
  ];
}

export function renderHead(view: RunView, now: number): Line[] {
  const { run } = view;
  return [
    [{ text: clean(run.name), color: 'bold' }, `  run ${run.id}`],
    [statePart(run.state), `: ${completionLine(view)}${durationOf(run, now, '  ')}`],
    ...undoLines(run),
  ];
}

/** Progress by phase: total, completed with its share, running, blocked. */
export function renderPhases(tasks: readonly TaskView[]): Line[] {
  const phases = [...new Set(tasks.map((task) => task.phase))];
  const rows = phases.map((phase) => {
    const own = tasks.filter((task) => task.phase === phase);
    const amount = (state: TaskView['state']): number => own.filter((task) => task.state === state).length;
    return [
      clean(phase),
      String(own.length),
      `${amount('completed')} (${toPercent(amount('completed'), own.length)})`,
      String(amount('running')),
      String(amount('blocked')),
    ];
  });
  return toTable(['Phase', ' Total', ' Completed', ' Running', ' Blocked'], rows);
}

/** `40 %`; nothing of nothing is 0 %. */
export function toPercent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.floor((part / whole) * 100)} %`;
}

/** Runs as a table, in the order given. */
export function renderRuns(runs: readonly RunSummary[], now: number): Line[] {
  return toTable(
    ['run', 'state', ' completed', 'created', ' time', 'name'],
    runs.map((run) => [
      run.id,
      statePart(run.state),
      `${run.counts.completed}/${run.counts.total}`,
      run.createdAt === null ? '' : `${run.createdAt.slice(0, 19)}Z`,
      durationOf(run, now, ''),
      [clean(run.name), ...undoLines(run).map(([words]) => ` (${String(words)})`)].join(''),
    ]),
  );
}

function durationOf(run: RunSummary, now: number, lead: string): string {
  if (run.startedAt === null) return '';
  const end = run.finishedAt === null ? now : Date.parse(run.finishedAt);
  return `${lead}${formatDuration(Math.max(0, end - Date.parse(run.startedAt)))}`;
}

function timeOf(task: TaskView, now: number): string {
  if (task.state === 'running' && task.startedAt !== null)
    return formatDuration(Math.max(0, now - Date.parse(task.startedAt)));
  return task.durationMs === null ? '' : formatDuration(task.durationMs);
}

/** Why a task is in its state, as far as there is something to say. */
export function whyOf(task: TaskView): string {
  if (task.state === 'blocked') return clean(`blocked by ${task.blockedBy.join(', ')}`);
  return task.state === 'completed' ? '' : clean(task.reason ?? '');
}
