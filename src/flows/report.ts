/**
 * The completion report of a run, as data and as Markdown. Pure.
 */
import { formatDuration } from '../runtime/duration.ts';
import type { RunView, TaskView } from './run-view.ts';

export interface Report extends RunView {
  /** From the first start to the end, milliseconds; null while it goes on. */
  durationMs: number | null;
  /** Sum of the last attempts' times, milliseconds. */
  workMs: number;
  retried: { id: string; attempts: number }[];
  failed: { id: string; reason: string | null; attempt: number; blocks: string[] }[];
  slowest: { id: string; durationMs: number }[];
  /** Of an undo run: the tasks that it has not taken back. */
  notUndone?: string[];
}

const SLOWEST = 5;

/** The report of a run in whatever state; what has no time yet has null. @param view the run as read from the record */
export function toReport(view: RunView): Report {
  const { run, tasks } = view;
  const start = run.startedAt === null ? null : Date.parse(run.startedAt);
  const ends = tasks.flatMap((task) => (task.finishedAt === null ? [] : [Date.parse(task.finishedAt)]));
  const end =
    run.finishedAt !== null
      ? Date.parse(run.finishedAt)
      : run.state === 'blocked' && ends.length > 0
        ? Math.max(...ends)
        : null;
  return {
    ...view,
    durationMs: start === null || end === null ? null : end - start,
    workMs: tasks.reduce((sum, task) => sum + (task.durationMs ?? 0), 0),
    retried: tasks.filter((task) => task.attempt > 1).map((task) => ({ id: task.id, attempts: task.attempt })),
    failed: tasks
      .filter((task) => task.state === 'failed')
      .map((task) => ({
        id: task.id,
        reason: task.reason,
        attempt: task.attempt,
        blocks: tasks.filter((other) => other.blockedBy.includes(task.id)).map((other) => other.id),
      })),
    slowest: tasks
      .filter((task): task is TaskView & { durationMs: number } => task.durationMs !== null)
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, SLOWEST)
      .map(({ id, durationMs }) => ({ id, durationMs })),
    ...(run.undoOf === undefined ? {} : { notUndone: tasks.flatMap(notUndone) }),
  };
}

function notUndone({ state, undoes }: TaskView): string[] {
  return undoes === undefined || state === 'completed' ? [] : [undoes];
}

/** Words for the head line: "25 of 25 tasks completed". */
export function completionLine(view: RunView): string {
  const { counts } = view.run;
  const others = (['failed', 'blocked', 'skipped', 'cancelled', 'running', 'ready', 'parked', 'pending'] as const)
    .filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${state}`);
  return [`${counts.completed} of ${counts.total} tasks completed`, ...others].join(', ');
}

/** The report as Markdown. */
export function toMarkdown(report: Report): string {
  const { run } = report;
  const lines = [
    `# ${run.name}`,
    '',
    `Run ${run.id}: **${run.state}**, ${completionLine(report)}.`,
    '',
    `- Started: ${run.startedAt ?? 'not yet'}`,
    `- Finished: ${run.finishedAt ?? 'not yet'}`,
    ...(report.durationMs === null
      ? []
      : [`- Duration: ${formatDuration(report.durationMs)} (${formatDuration(report.workMs)} of work)`]),
    ...(run.workspace === undefined ? [] : [`- Files: ${run.workspace}/`]),
    ...(run.undoOf === undefined ? [] : [`- Undoes run: ${run.undoOf}`]),
    ...(run.undo === undefined ? [] : [`- Undo: ${run.undo.run === null ? run.undo.state : `run ${run.undo.run}`}`]),
    ...((report.notUndone ?? []).length === 0 ? [] : [`- Not undone: ${report.notUndone?.join(', ')}`]),
    '',
  ];
  if (report.failed.length > 0) {
    lines.push('## Failed', '');
    for (const task of report.failed) {
      const blocks = task.blocks.length === 0 ? '' : `; blocks ${task.blocks.join(', ')}`;
      lines.push(`- \`${task.id}\` (attempt ${task.attempt}): ${toCell(task.reason ?? 'no reason given')}${blocks}`);
    }
    lines.push('');
  }
  lines.push('## Tasks', '', '| stage | task | state | attempts | time | reason |', '|---|---|---|---|---|---|');
  for (const task of report.tasks) {
    const time = task.durationMs === null ? '' : formatDuration(task.durationMs);
    lines.push(
      `| ${task.stage} | \`${task.id}\` | ${task.state} | ${task.attempt} | ${time} | ${toCell(task.reason ?? '')} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Keeps a table a table, whatever a reason says. */
function toCell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('<', '&lt;');
}
