/**
 * What a receiver is sent. Pure: made of an event and of what the record said of its run. No command lines, no values of
 * variables; the sentence is fit for any chat.
 */
import type { Event } from '../events/event.ts';
import type { RunSummary } from '../flows/run-view.ts';
import type { RunState } from '../plan/states.ts';
import { toIso } from '../runtime/clock.ts';
import { bounded } from '../runtime/errors.ts';
import type { NotifyType } from '../runtime/notify-config.ts';

/** The form that docs/notify.md describes. */
export interface Notification {
  /** Of this form. */
  version: 1;
  /** The same for every delivery of one notification: drop what you have seen. */
  id: string;
  type: NotifyType | 'test';
  /** One sentence without a link. */
  text: string;
  /** When it happened, ISO 8601. */
  time: string;
  /** Its counts are those of the moment in which the notification was made. Null of a test. */
  run: RunSummary | null;
  /** Of a blocked run: failure or approval. */
  reason: string | null;
  failed: FailedTask[];
  /** Tasks that wait for a failed one. At most 100; the counts have the total. */
  blocked: string[];
  /** Tasks and gates (`gate:<n>`) that want an approval. At most 100. */
  waitingFor: string[];
  /** The version of planq. */
  planq: string;
}

export interface FailedTask {
  task: string;
  reason: string | null;
}

/** What the record says of a run. */
export interface RunFacts {
  summary: RunSummary;
  failed: FailedTask[];
  blocked: string[];
  /** What wants an approval, of the event's own tasks or of the whole run. */
  waitingFor: string[];
}

const TEXT_LIMIT = 500;

const TYPES: Readonly<Partial<Record<Event['type'], NotifyType>>> = {
  'run-blocked': 'blocked',
  'run-completed': 'completed',
  'run-failed': 'failed',
  'run-cancelled': 'cancelled',
  'approval-wanted': 'approval',
};

/**
 * What an event is to a receiver; undefined when it is not to be told. A run that can only go on by an approval is
 * blocked, but whoever was told of the approval knows that.
 */
export function typeOf(event: Event, on: readonly NotifyType[]): NotifyType | undefined {
  const type = TYPES[event.type];
  if (type === undefined || !on.includes(type)) return undefined;
  const isKnown = type === 'blocked' && 'reason' in event && event.reason === 'approval' && on.includes('approval');
  return isKnown ? undefined : type;
}

/** @param facts null when no record knows the run any more */
export function toNotification(event: Event, type: NotifyType, facts: RunFacts | null, planq: string): Notification {
  const state = STATES[type];
  const run = facts === null ? null : { ...facts.summary, state: state ?? facts.summary.state };
  const isOfFailure = type === 'blocked' || type === 'failed';
  const notification: Notification = {
    version: 1,
    id: `${event.run}-${event.id}`,
    type,
    text: '',
    time: toIso(event.at),
    run: run ?? unknownRun(event, state),
    reason: type === 'blocked' && 'reason' in event ? (event.reason ?? null) : null,
    failed: isOfFailure ? (facts?.failed ?? []) : [],
    blocked: isOfFailure ? (facts?.blocked ?? []) : [],
    waitingFor: type === 'approval' || type === 'blocked' ? (facts?.waitingFor ?? []) : [],
    planq,
  };
  return { ...notification, text: textOf(notification) };
}

/** The state that the event says; by the time of the telling the run may have gone on. */
const STATES: Readonly<Partial<Record<NotifyType, RunState>>> = {
  blocked: 'blocked',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** Of a run that has been removed since. */
function unknownRun(event: Event, state: RunState | undefined): RunSummary {
  const counts = { total: 0 } as RunSummary['counts'];
  const times = { createdAt: null, startedAt: null, finishedAt: null };
  return { id: event.run, name: '', state: state ?? 'running', ...times, counts };
}

/** @param now epoch ms */
export function testNotification(id: string, now: number, planq: string): Notification {
  return {
    version: 1,
    id: `test-${id}`,
    type: 'test',
    text: 'planq: this is a test notification',
    time: toIso(now),
    run: null,
    reason: null,
    failed: [],
    blocked: [],
    waitingFor: [],
    planq,
  };
}

function textOf(notification: Notification): string {
  const { run } = notification;
  const name = run?.name === '' ? '' : ` "${run?.name}"`;
  return toPlainText(`planq: run${name} (${run?.id}) ${predicateOf(notification)}`);
}

function predicateOf({ type, run, reason, failed, blocked, waitingFor }: Notification): string {
  const { counts } = run ?? {};
  const done =
    counts === undefined || counts.total === 0 ? '' : `${counts.completed} of ${counts.total} tasks completed`;
  const failures = failed.map(({ task, reason: why }) => `${task} failed${why === null ? '' : ` (${why})`}`);
  switch (type) {
    case 'completed':
      return joined('is completed', done);
    case 'cancelled':
      return joined('is cancelled', done);
    case 'failed':
      return joined('has failed', [someOf(failures, 3), done].filter((text) => text !== '').join('; '));
    case 'blocked': {
      if (reason === 'approval') return joined('is blocked until a person approves', someOf(waitingFor, 5));
      const behind = blocked.length === 0 ? '' : `${counts?.blocked ?? blocked.length} blocked behind it`;
      return joined('is blocked', [someOf(failures, 3), behind, done].filter((text) => text !== '').join('; '));
    }
    case 'approval':
      return joined('wants an approval', someOf(waitingFor, 5));
    case 'test':
      return '';
  }
}

function joined(head: string, more: string): string {
  return more === '' ? head : `${head}: ${more}`;
}

function someOf(words: readonly string[], most: number): string {
  const more = words.length - most;
  return `${words.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * One line in which a chat finds nothing to act on: no mark-up, no mention, no link. Names and reasons come from plans and
 * agents.
 */
export function toPlainText(text: string): string {
  const line = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .replaceAll('://', ': //')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('@', '＠');
  return bounded(line, TEXT_LIMIT);
}
