import { expect, test } from 'vitest';
import type { Event } from '../../src/events/event.ts';
import { createJsonLog, toLogLine } from '../../src/events/log-subscriber.ts';

/** The line of an event in the log of worker `me`, as it is written. */
function lineOf(event: Partial<Event>): string {
  let text = '';
  const stream = {
    write: (chunk: string): void => {
      text += chunk;
    },
  };
  const whole = { id: '1-0', at: 1, run: 'r', ...event } as Event;
  createJsonLog(stream, { worker: 'me' }).write(toLogLine(whole, (index) => `task-${index}`));
  return text;
}

const keysOf = (line: string): string[] => [...line.matchAll(/"(\w+)":/g)].map((match) => match[1]!).sort();

test('a line has every key once', () => {
  const line = lineOf({ type: 'task-started', task: 1, attempt: 2, worker: 'me' });
  expect(keysOf(line)).toEqual(['attempt', 'level', 'msg', 'run', 'task', 'time', 'worker']);
  expect(JSON.parse(line)).toMatchObject({ worker: 'me', task: 'task-1', attempt: 2 });
});

test('of a rescue it names both workers', () => {
  const line = lineOf({ type: 'task-rescued', task: 1, attempt: 2, worker: 'gone' });
  expect(JSON.parse(line)).toMatchObject({ worker: 'me', lostWorker: 'gone' });
  expect(keysOf(line).filter((key) => key === 'worker')).toHaveLength(1);
});
