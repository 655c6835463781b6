import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/events/event.ts';
import type { RunSummary } from '../../src/flows/run-view.ts';
import { type RunFacts, toNotification, toPlainText, typeOf } from '../../src/notify/notification.ts';
import { NOTIFY_TYPES } from '../../src/runtime/notify-config.ts';

const at = (type: string, more: object = {}): Event => ({ id: '5-0', at: 5, run: 'r1', type, ...more }) as Event;

describe('what is told', () => {
  it.each([
    ['run-blocked', 'blocked'],
    ['run-completed', 'completed'],
    ['run-failed', 'failed'],
    ['run-cancelled', 'cancelled'],
    ['approval-wanted', 'approval'],
  ] as const)('%s is %s, for those who asked for it', (event, type) => {
    expect(typeOf(at(event, { tasks: [] }), NOTIFY_TYPES)).toBe(type);
    expect(
      typeOf(
        at(event),
        NOTIFY_TYPES.filter((one) => one !== type),
      ),
    ).toBeUndefined();
  });

  it.each(['task-failed', 'run-started', 'notify-failed', 'tasks-blocked', 'approved'])('%s is nothing', (event) => {
    expect(typeOf(at(event), NOTIFY_TYPES)).toBeUndefined();
  });

  it('that a run is blocked by an approval is told to those alone who do not hear of approvals', () => {
    const event = at('run-blocked', { reason: 'approval' });
    expect(typeOf(event, ['blocked'])).toBe('blocked');
    expect(typeOf(event, ['blocked', 'approval'])).toBeUndefined();
    expect(typeOf(at('run-blocked', { reason: 'failure' }), ['blocked', 'approval'])).toBe('blocked');
  });
});

const counts = { total: 6, completed: 2, failed: 1, blocked: 3 } as RunSummary['counts'];
const summary: RunSummary = {
  id: 'r1',
  name: 'Release',
  state: 'running',
  createdAt: null,
  startedAt: null,
  finishedAt: null,
  counts,
};
const facts: RunFacts = {
  summary,
  failed: [{ task: 'build', reason: 'Exit code 1' }],
  blocked: ['test', 'docs', 'ship'],
  waitingFor: ['gate:1', 'deploy'],
};

describe('a notification', () => {
  it('says what happened, of which run, and what stands still', () => {
    expect(toNotification(at('run-blocked', { reason: 'failure' }), 'blocked', facts, '9.9.9')).toEqual({
      version: 1,
      id: 'r1-5-0',
      type: 'blocked',
      text: 'planq: run "Release" (r1) is blocked: build failed (Exit code 1); 3 blocked behind it; 2 of 6 tasks completed',
      time: '1970-01-01T00:00:00.005Z',
      // As the event says, whatever has become of the run since.
      run: { ...summary, state: 'blocked' },
      reason: 'failure',
      failed: facts.failed,
      blocked: facts.blocked,
      waitingFor: facts.waitingFor,
      planq: '9.9.9',
    });
  });

  it.each([
    ['run-completed', 'completed', 'is completed: 2 of 6 tasks completed'],
    ['run-cancelled', 'cancelled', 'is cancelled: 2 of 6 tasks completed'],
    ['run-failed', 'failed', 'has failed: build failed (Exit code 1); 2 of 6 tasks completed'],
    ['approval-wanted', 'approval', 'wants an approval: gate:1, deploy'],
  ] as const)('of %s says so in a sentence', (event, type, words) => {
    expect(toNotification(at(event), type, facts, '1').text).toBe(`planq: run "Release" (r1) ${words}`);
  });

  it('of a run that is not there any more says as much as is known', () => {
    const { text, run } = toNotification(at('run-completed'), 'completed', null, '1');
    expect([text, run?.id, run?.state]).toEqual(['planq: run (r1) is completed', 'r1', 'completed']);
  });

  it('names a few of many', () => {
    const failed = Array.from({ length: 9 }, (_, index) => ({ task: `t${index}`, reason: null }));
    expect(toNotification(at('run-failed'), 'failed', { ...facts, failed }, '1').text).toContain(
      't0 failed, t1 failed, t2 failed and 6 more; 2 of 6',
    );
  });
});

it('a sentence has no line ends, links, mentions or mark-up, and an end', () => {
  expect(toPlainText('a\r\n\u0007b <!channel> @here <https://evil.example|click>')).toBe(
    'a b ‹!channel› ＠here ‹https: //evil.example|click›',
  );
  expect(toPlainText('x'.repeat(10_000))).toHaveLength(500);
});
