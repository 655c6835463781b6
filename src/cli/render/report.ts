/** The report of a run for people, and what to do next when it did not complete. Pure. */
import { completionLine, type Report } from '../../flows/report.ts';
import { formatDuration } from '../../runtime/duration.ts';
import { nameSome } from '../live/lines.ts';
import { type Line, statePart } from '../terminal/style.ts';
import { clean, count } from '../terminal/text.ts';
import { undoLines } from './undo.ts';

const NAMED_FAILURES = 20;
const NAMED_BLOCKED = 3;

/** @param waitingFor tasks and gates that wait for approval */
export function renderReport(report: Report, waitingFor: readonly string[] = []): Line[] {
  const { run } = report;
  const took = report.durationMs === null ? '' : ` in ${formatDuration(report.durationMs)}`;
  const work = report.durationMs === null ? '' : ` (${formatDuration(report.workMs)} of work)`;
  return [
    [{ text: clean(run.name), color: 'bold' }, `  run ${run.id}`],
    [statePart(run.state), `: ${completionLine(report)}${took}${work}`],
    ...undoLines(run),
    ...failureLines(report),
    ...factLines(report),
    ...nextLines(report),
    ...approvalLines(report, waitingFor),
  ];
}

function failureLines({ failed }: Report): Line[] {
  const lines = failed.slice(0, NAMED_FAILURES).flatMap((task): Line[] => {
    const attempts = task.attempt > 1 ? ` after ${task.attempt} attempts` : '';
    const line: Line = [
      '  ',
      statePart('failed'),
      ` ${clean(task.id)}${attempts}: ${clean(task.reason ?? 'no reason given')}`,
    ];
    if (task.blocks.length === 0) return [line];
    return [
      line,
      [
        '    ',
        statePart('blocked', 'blocks'),
        ` ${count(task.blocks.length, 'task')}: ${nameSome(task.blocks, NAMED_BLOCKED)}`,
      ],
    ];
  });
  const more = failed.length - NAMED_FAILURES;
  return more > 0 ? [...lines, [`  and ${more} more failed`]] : lines;
}

function factLines({ run, retried, slowest, notUndone }: Report): Line[] {
  const lines: Line[] = [];
  if (run.workspace !== undefined) lines.push([`  files  ${clean(run.workspace)}/`]);
  if (notUndone !== undefined && notUndone.length > 0)
    lines.push(['  not undone  ', nameSome(notUndone.map(clean), NAMED_FAILURES)]);
  if (retried.length > 0)
    lines.push(['  retried  ', nameSome(retried.map(({ id, attempts }) => `${clean(id)} (${attempts} attempts)`))]);
  if (slowest.length > 1)
    lines.push([
      '  slowest  ',
      slowest.map(({ id, durationMs }) => `${clean(id)} ${formatDuration(durationMs)}`).join(', '),
    ]);
  return lines;
}

/** A run that rests without being completed says how to go on. */
function nextLines({ run, failed }: Report): Line[] {
  if (run.state !== 'blocked' || failed.length === 0) return [];
  return [
    ['What to do next:'],
    [`  planq logs ${run.id} ${clean(failed[0]!.id)}`, { text: '   see why it failed', color: 'dim' }],
    [`  planq retry ${run.id}`, { text: '   run what failed again and go on', color: 'dim' }],
  ];
}

function approvalLines({ run }: Report, waitingFor: readonly string[]): Line[] {
  if (waitingFor.length === 0) return [];
  return [
    [{ text: 'It waits for approval:', color: 'yellow' }],
    ...waitingFor
      .slice(0, NAMED_FAILURES)
      .map(
        (subject): Line => [`  planq approve ${run.id} ${clean(subject)}`, { text: '   or reject it', color: 'dim' }],
      ),
  ];
}
