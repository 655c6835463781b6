/** Why something does not go on: one reason a line, and under it what would clear it. Pure. */
import type { TaskWhy } from '../../flows/why.ts';
import type { Reason } from '../../flows/why-facts.ts';
import type { RunWhy } from '../../flows/why-run.ts';
import { formatDuration } from '../../runtime/duration.ts';
import { type Line, statePart } from '../terminal/style.ts';
import { clean } from '../terminal/text.ts';

/** @param now epoch ms */
export function renderTaskWhy({ runId, task, state, reasons, running }: TaskWhy, now: number): Line[] {
  const lines: Line[] = [[clean(task), ` of run ${runId} is `, statePart(state)], ...reasons.flatMap(reasonLines)];
  if (reasons.length === 0) lines.push(['  nothing holds it: a worker takes it next']);
  if (running === null) return lines;
  const facts: [string, string | null][] = [
    ['running for', formatDuration(Math.max(0, now - Date.parse(running.since)))],
    ['progress', running.progress === null ? null : `${running.progress} %`],
    ['last output', running.lastOutput],
    ['lease until', running.leaseUntil],
    ['pid', running.pid === null ? null : String(running.pid)],
  ];
  for (const [name, value] of facts)
    if (value !== null) lines.push([{ text: `  ${name.padEnd(11)}`, color: 'dim' }, `  ${clean(value)}`]);
  return lines;
}

export function renderRunWhy({ runId, state, reasons }: RunWhy): Line[] {
  return [[`run ${runId} is `, statePart(state)], ...reasons.flatMap(reasonLines)];
}

function reasonLines({ message, clear, command }: Reason): Line[] {
  const next = `    → ${clean(clear)}`;
  return [[`  ${clean(message)}`], [{ text: command === null ? next : `${next}: ${clean(command)}`, color: 'dim' }]];
}
