/** What waits for a person: what it is, for how long, how much goes on with it, and the command. Pure. */
import type { InboxItem } from '../../control/inbox.ts';
import { formatDuration } from '../../runtime/duration.ts';
import type { Line, Part } from '../terminal/style.ts';
import { clean, count } from '../terminal/text.ts';

const WORDS: Readonly<Record<InboxItem['kind'], Part>> = {
  approval: { text: 'approval', color: 'yellow' },
  failure: { text: 'failed', color: 'red' },
  'closed-gate': { text: 'closed', color: 'magenta' },
  paused: { text: 'paused', color: 'yellow' },
};

/** @param now epoch ms */
export function renderInbox(items: readonly InboxItem[], now: number): Line[] {
  return items.flatMap((item): Line[] => [
    [WORDS[item.kind], `  ${clean(item.subject)}${placeOf(item)}${whyOf(item)}`],
    [{ text: `  ${sinceOf(item, now)}goes on with it: ${count(item.unblocks, 'task')}`, color: 'dim' }],
    [
      `  ${clean(item.command)}${item.kind === 'approval' ? `   or: ${clean(item.command.replace('approve', 'reject'))}` : ''}`,
    ],
  ]);
}

function placeOf({ run, runName, kind }: InboxItem): string {
  if (run === null) return '';
  return kind === 'paused' ? ` "${clean(runName ?? '')}"` : ` of run ${run} "${clean(runName ?? '')}"`;
}

function whyOf({ reason }: InboxItem): string {
  return reason === null ? '' : `: ${clean(reason)}`;
}

function sinceOf({ since }: InboxItem, now: number): string {
  return since === null ? '' : `for ${formatDuration(Math.max(0, now - Date.parse(since)))}, `;
}
