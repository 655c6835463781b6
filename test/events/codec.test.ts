import { expect, test } from 'vitest';
import { parseEvent } from '../../src/events/codec.ts';

test('a run event carries its name', () => {
  expect(parseEvent('1700000000000-1', { run: 'r', type: 'run-submitted', name: 'Plan' })).toEqual({
    id: '1700000000000-1',
    at: 1_700_000_000_000,
    run: 'r',
    type: 'run-submitted',
    name: 'Plan',
  });
});

test('an event about many tasks lists their indexes', () => {
  expect(parseEvent('5-0', { run: 'r', type: 'tasks-blocked', tasks: '3,4,10', by: '1' })).toMatchObject({
    tasks: [3, 4, 10],
    by: 1,
  });
  expect(parseEvent('5-0', { run: 'r', type: 'tasks-ready', tasks: '', by: '' })).toEqual({
    id: '5-0',
    at: 5,
    run: 'r',
    type: 'tasks-ready',
    tasks: [],
  });
});

test('a task event has numbers as numbers and nothing for what was not said', () => {
  expect(
    parseEvent('5-0', {
      run: 'r',
      type: 'task-retrying',
      task: '2',
      attempt: '1',
      reason: 'Exit code 1',
      exit: '1',
      delay: '900',
      ms: '40',
      percent: '',
    }),
  ).toEqual({
    id: '5-0',
    at: 5,
    run: 'r',
    type: 'task-retrying',
    task: 2,
    attempt: 1,
    reason: 'Exit code 1',
    exitCode: 1,
    delayMs: 900,
    durationMs: 40,
  });
});

test('a repair names what was wrong, and a master without a worker is of no run', () => {
  expect(parseEvent('5-0', { run: 'r', type: 'repaired', what: 'job', task: '2', count: '', name: '' })).toEqual({
    id: '5-0',
    at: 5,
    run: 'r',
    type: 'repaired',
    what: 'job',
    index: 2,
  });
  expect(
    parseEvent('5-0', { run: '', type: 'repaired', what: 'limit', name: 'agents', was: '9', count: '1' }),
  ).toMatchObject({ what: 'limit', name: 'agents', was: 9, count: 1 });
  expect(parseEvent('5-0', { run: '', type: 'no-worker', master: 'security', count: '3' })).toMatchObject({
    run: '',
    master: 'security',
    count: 3,
  });
});
