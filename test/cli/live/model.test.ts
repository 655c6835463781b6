import { describe, expect, it } from 'vitest';
import { toEventJson } from '../../../src/cli/live/event-json.ts';
import { toEventLine } from '../../../src/cli/live/lines.ts';
import { RunModel } from '../../../src/cli/live/model.ts';
import type { Event } from '../../../src/events/event.ts';
import { makeRunView, STARTED_AT } from '../../support/run-view.ts';

type Parts =
  | Omit<Extract<Event, { task: number }>, 'id' | 'at' | 'run'>
  | Omit<Extract<Event, { tasks: number[] }>, 'id' | 'at' | 'run'>;

function event(parts: Parts | { type: Event['type'] }, at = STARTED_AT + 5000): Event {
  return { id: `${at}-0`, at, run: 'abcdefghjk', ...parts } as Event;
}

function makeModel(): RunModel {
  return new RunModel(makeRunView([{ id: 'a', state: 'ready' }, { id: 'b' }, { id: 'c' }]));
}

describe('the model of a run', () => {
  it('follows a task from its start to its end', () => {
    const model = makeModel();
    model.apply(event({ type: 'task-started', task: 0, attempt: 1, worker: 'w' }, STARTED_AT));
    model.apply(event({ type: 'task-progress', task: 0, attempt: 1, percent: 40, message: 'half way' }));
    expect(model.tasks[0]).toMatchObject({ state: 'running', attempt: 1, percent: 40, message: 'half way' });
    expect(model.tasks[0]?.startedAt).toBe('2026-01-02T03:04:05.000Z');
    model.apply(event({ type: 'task-completed', task: 0, attempt: 1, exitCode: 0, durationMs: 5000 }));
    expect(model.tasks[0]).toMatchObject({
      state: 'completed',
      durationMs: 5000,
      exitCode: 0,
      percent: null,
      message: null,
    });
    expect(model.run.counts).toMatchObject({ total: 3, completed: 1, pending: 2, running: 0, ready: 0 });
  });

  it('shows why a task rests, and forgets it when it runs again', () => {
    const model = makeModel();
    model.apply(
      event({ type: 'task-retrying', task: 0, attempt: 1, reason: 'Exit code 1', exitCode: 1, delayMs: 900 }),
    );
    expect(model.tasks[0]).toMatchObject({ state: 'ready', reason: 'Exit code 1', exitCode: 1 });
    model.apply(event({ type: 'task-parked', task: 0, reason: 'waiting for agents' }));
    expect(model.tasks[0]).toMatchObject({ state: 'parked', reason: 'waiting for agents' });
    model.apply(event({ type: 'task-started', task: 0, attempt: 2 }));
    expect(model.tasks[0]).toMatchObject({ state: 'running', reason: null, exitCode: null, attempt: 2 });
  });

  it('marks those that a failure blocks, by name', () => {
    const model = makeModel();
    model.apply(event({ type: 'task-failed', task: 0, attempt: 3, reason: 'broken' }));
    model.apply(event({ type: 'tasks-blocked', tasks: [1, 2], by: 0 }));
    expect(model.tasks.map((task) => [task.state, task.blockedBy])).toEqual([
      ['failed', []],
      ['blocked', ['a']],
      ['blocked', ['a']],
    ]);
  });

  it('is the same when an event comes twice', () => {
    const [once, twice] = [makeModel(), makeModel()];
    const start = event({ type: 'task-started', task: 0, attempt: 1 });
    once.apply(start);
    twice.apply(start);
    twice.apply(start);
    expect(twice.view()).toEqual(once.view());
  });

  it('passes over tasks that it does not know and losers that change nothing', () => {
    const model = makeModel();
    const before = structuredClone(model.view());
    model.apply(event({ type: 'task-started', task: 99, attempt: 1 }));
    model.apply(event({ type: 'tasks-ready', tasks: [99] }));
    model.apply(event({ type: 'task-superseded', task: 1, reason: 'completed' }));
    expect(model.view()).toEqual(before);
  });

  it('asks for the record where an event does not say enough', () => {
    const model = makeModel();
    expect(model.apply(event({ type: 'task-started', task: 0, attempt: 1 }))).toBe(false);
    for (const type of ['run-blocked', 'run-resumed', 'run-completed', 'run-cancelling', 'run-cancelled'] as const)
      expect(model.apply(event({ type }))).toBe(true);
  });

  it('knows what waits for approval, gates too, until somebody decides', () => {
    const model = new RunModel(makeRunView([{ id: 'a', state: 'pending' }, { id: 'b' }]), new Map([[2, 'gate:1']]));
    expect(model.apply(event({ type: 'approval-wanted', tasks: [0, 2] }))).toBe(true);
    expect([...model.wanted]).toEqual(['a', 'gate:1']);
    expect(model.tasks[0]).toMatchObject({ state: 'parked', reason: 'waiting for approval' });
    model.apply(event({ type: 'approved', tasks: [2] }));
    model.apply(event({ type: 'rejected', tasks: [0] }));
    expect([...model.wanted]).toEqual([]);
    model.reset(makeRunView([{ id: 'a' }, { id: 'b', state: 'parked', reason: 'waiting for approval' }]));
    expect([...model.wanted]).toEqual(['b']);
  });

  it('asks for the record when a run is paused or goes on', () => {
    const model = makeModel();
    for (const type of ['run-paused', 'run-unpaused', 'run-failed'] as const)
      expect(model.apply(event({ type }))).toBe(true);
  });

  it('believes the record, but keeps what a running task has told', () => {
    const model = makeModel();
    model.apply(event({ type: 'task-started', task: 0, attempt: 1 }));
    model.apply(event({ type: 'task-progress', task: 0, attempt: 1, percent: 40 }));
    model.reset(makeRunView([{ id: 'a', state: 'running', attempt: 1 }, { id: 'b', state: 'completed' }, { id: 'c' }]));
    expect(model.tasks.map((task) => [task.state, task.percent])).toEqual([
      ['running', 40],
      ['completed', null],
      ['pending', null],
    ]);
    model.reset(makeRunView([{ id: 'a', state: 'running', attempt: 2 }, { id: 'b' }, { id: 'c' }]));
    expect(model.tasks[0]?.percent).toBeNull();
  });
});

describe('events as lines', () => {
  const line = (parts: Parts | { type: Event['type'] }): string | null => toEventLine(event(parts), makeModel());

  it('say what started and how it ended', () => {
    expect(line({ type: 'task-started', task: 0, attempt: 1 })).toBe('Launching task: a');
    expect(line({ type: 'task-started', task: 0, attempt: 2 })).toBe('Launching task: a (attempt 2)');
    expect(line({ type: 'task-completed', task: 0, attempt: 1, durationMs: 1200 })).toBe('Completed task: a (1.2 s)');
    expect(line({ type: 'task-failed', task: 1, attempt: 3, reason: 'Exit\ncode\u001b[31m 1' })).toBe(
      'Failed task: b, attempt 3: Exit code 1',
    );
    expect(line({ type: 'tasks-blocked', tasks: [1, 2], by: 0 })).toBe('Blocked: b, c (by a)');
    expect(line({ type: 'run-completed' })).toBe('All tasks complete!');
  });

  it('say what waits for a person, and the command for it', () => {
    const gated = new RunModel(makeRunView([{ id: 'a' }]), new Map([[1, 'gate:1']]));
    const wanted = event({ type: 'approval-wanted', tasks: [1] });
    expect(toEventLine(wanted, gated)).toBe('Waiting for approval: gate:1 → planq approve abcdefghjk gate:1');
    expect(line({ type: 'approved', tasks: [0] })).toBe('Approved: a');
    expect(line({ type: 'rejected', tasks: [1] })).toBe('Rejected: b');
    expect(line({ type: 'run-paused' })).toBe('The run is paused. → planq resume abcdefghjk');
    expect(line({ type: 'run-unpaused' })).toBe('The run is not paused any more.');
    expect(line({ type: 'run-failed' })).toBe('The run has failed.');
    const blocked = { ...event({ type: 'run-blocked' }), reason: 'approval' } as Event;
    expect(toEventLine(blocked, makeModel())).toBe('Nothing more can run until a person approves.');
    expect(line({ type: 'run-blocked' })).toBe('Nothing more can run: the run is blocked.');
  });

  it('say what a sweep has put right, and which master of the run nobody serves', () => {
    const told = (facts: object): string | null => toEventLine(event(facts as Parts), makeModel());
    expect(told({ type: 'repaired', what: 'job', index: 1 })).toBe('Repaired: a lost job was added again (b)');
    expect(told({ type: 'repaired', what: 'count', name: 'failed', was: 1, count: 0 })).toBe(
      'Repaired: tasks were counted wrongly (failed: 1 → 0)',
    );
    const { master } = makeModel().tasks[0]!;
    expect(told({ type: 'no-worker', master, count: 2 })).toBe(`No worker serves master ${master}. → planq worker`);
    expect(told({ type: 'no-worker', master: 'of-another-run', count: 2 })).toBeNull();
  });

  it('leave out progress and what becomes ready', () => {
    expect(line({ type: 'task-progress', task: 0, percent: 3 })).toBeNull();
    expect(line({ type: 'tasks-ready', tasks: [0] })).toBeNull();
  });

  it('name a few of many', () => {
    const model = new RunModel(makeRunView(Array.from({ length: 9 }, (_, at) => ({ id: `t${at}` }))));
    const many = event({ type: 'tasks-cancelled', tasks: [0, 1, 2, 3, 4, 5, 6, 7, 8] });
    expect(toEventLine(many, model)).toBe('Cancelled: t0, t1, t2, t3, t4 and 4 more');
  });
});

describe('events as JSON', () => {
  it('name tasks by id and times in ISO 8601', () => {
    expect(toEventJson(event({ type: 'tasks-blocked', tasks: [1, 2], by: 0 }, STARTED_AT), makeModel())).toEqual({
      type: 'tasks-blocked',
      run: 'abcdefghjk',
      tasks: ['b', 'c'],
      by: 'a',
      at: '2026-01-02T03:04:05.000Z',
      id: `${STARTED_AT}-0`,
    });
    expect(toEventJson(event({ type: 'task-started', task: 0, attempt: 1 }), makeModel())).toMatchObject({ task: 'a' });
    const repaired = { ...event({ type: 'repaired' }), what: 'job', index: 1 } as Event;
    expect(JSON.parse(JSON.stringify(toEventJson(repaired, makeModel())))).toMatchObject({ what: 'job', task: 'b' });
  });
});
