/** What the drill is going to do, what each check counted, and what held in all. Pure. */
import type { DrillPlace, DrillReport } from '../../drill/drill.ts';
import { CHECK_NAMES } from '../../drill/names.ts';
import type { CheckReport, Count } from '../../drill/verdict.ts';
import { formatDuration } from '../../runtime/duration.ts';
import type { Color, Line, Part } from '../terminal/style.ts';
import { clean } from '../terminal/text.ts';

const WORDS: Readonly<Record<CheckReport['status'], Part & { color: Color }>> = {
  ok: { text: 'ok', color: 'green' },
  failed: { text: 'FAILED', color: 'red' },
  skipped: { text: 'skipped', color: 'yellow' },
};
const STATUS_WIDTH = Math.max(...Object.values(WORDS).map(({ text }) => text.length));
const NAME_WIDTH = Math.max(...CHECK_NAMES.map((name) => name.length));

export function renderPlace({ redis, tier, prefix, folder }: DrillPlace, keep: boolean): string[] {
  return [
    'The drill starts two workers of its own, lets tasks fail, hang and flood, kills and stops those workers, and counts what held.',
    'Nothing of yours is touched: no key, queue, run or file. It takes about a minute and costs nothing.',
    `  Redis   ${redis}, keys under "${prefix}", removed at the end`,
    `  folder  ${folder}, ${keep ? 'kept' : 'removed at the end'}`,
    `  agents  are held in tier ${tier}`,
  ];
}

export function renderCheck({ name, status, reason, counts, facts, durationMs }: CheckReport): Line[] {
  const word = WORDS[status];
  const words = [
    ...(reason === null ? [] : [clean(reason)]),
    ...counts.map(countText),
    ...(facts.length === 0 ? [] : [`(${facts.join(', ')})`]),
    ...(status === 'skipped' ? [] : [formatDuration(durationMs)]),
  ];
  return [
    [
      { text: word.text, color: word.color },
      `${' '.repeat(STATUS_WIDTH - word.text.length)}  ${name.padEnd(NAME_WIDTH)}  ${words.join('  ')}`,
    ],
  ];
}

function countText({ name, value, bar, unit }: Count): string {
  return `${name} ${value}/${bar}${unit}`;
}

export function renderSummary({ ok, checks, durationMs, kept, folder }: DrillReport): Line[] {
  const number = (status: CheckReport['status']): number => checks.filter((check) => check.status === status).length;
  const parts = [`${number('ok')} of ${checks.length} held`];
  if (number('failed') > 0) parts.push(`${number('failed')} failed`);
  if (number('skipped') > 0) parts.push(`${number('skipped')} skipped`);
  return [
    [{ text: parts.join(', '), color: ok ? 'green' : 'red' }, ` in ${formatDuration(durationMs)}`],
    ...(kept ? [[`kept: ${folder}`]] : []),
  ];
}
