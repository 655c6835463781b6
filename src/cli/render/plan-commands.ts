/**
 * Everything that a plan would run, for a person who is to say whether it may. Nothing is left out and nothing is taken
 * away from the text: what a terminal would hide or obey is written as its number.
 */
import type { Plan, Task } from '../../plan/plan.ts';

/** What a terminal obeys or does not show; line ends are kept. */
const HIDDEN =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
const IDS_SHOWN = 3;

/** One block for each different thing that is run, with the tasks that run it. */
export function renderPlanCommands(plan: Plan): string[] {
  const blocks = new Map<string, string[]>();
  for (const task of plan.tasks)
    for (const block of describe(task)) blocks.set(block, [...(blocks.get(block) ?? []), task.id]);
  return [...blocks].map(
    ([block, ids]) => `  ${reveal(block).replaceAll('\n', '\n      ')}\n      by ${nameSome(ids)}`,
  );
}

function describe(task: Task): string[] {
  const env = Object.entries(task.env).map(([name, value]) => `env: ${name}=${value}`);
  const check = task.check === null ? [] : [`check: ${toLine(task.check)}`];
  if (task.run !== null) return [`run: ${toLine(task.run)}`, ...check, ...env];
  const options = Object.keys(task.with).length === 0 ? '' : ` ${JSON.stringify(task.with)}`;
  return [`agent: ${task.agent ?? 'none'}${options}`, ...check, ...env];
}

function toLine(command: string | readonly string[]): string {
  return typeof command === 'string' ? command : JSON.stringify(command);
}

function reveal(text: string): string {
  return text.replace(HIDDEN, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

function nameSome(ids: readonly string[]): string {
  const shown = ids.slice(0, IDS_SHOWN).join(', ');
  return ids.length > IDS_SHOWN ? `${shown} and ${ids.length - IDS_SHOWN} more` : shown;
}
