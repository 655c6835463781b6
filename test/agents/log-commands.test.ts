import { expect, it } from 'vitest';
import { parseLogCommand } from '../../src/agents/log-commands.ts';

it.each([
  ['::progress 40::half of it', { kind: 'progress', percent: 40, message: 'half of it' }],
  ['::progress 40 %::', { kind: 'progress', percent: 40 }],
  ['::progress 99.5::x', { kind: 'progress', percent: 99.5, message: 'x' }],
  ['::progress 4000::too much', { kind: 'progress', percent: 100, message: 'too much' }],
  ['::progress::only words', { kind: 'progress', message: 'only words' }],
  ['::progress 5::a::b', { kind: 'progress', percent: 5, message: 'a::b' }],
  ['::warning ::careful', { kind: 'warning', message: 'careful' }],
  ['::warning::careful', { kind: 'warning', message: 'careful' }],
  ['::warning file=a.ts,line=3::careful', { kind: 'warning', message: 'careful' }],
])('the line %j speaks to planq', (line, command) => {
  expect(parseLogCommand(line)).toEqual(command);
});

it.each([
  '',
  'progress 40',
  ' ::progress 40::x',
  '::progress forty::x',
  '::progress -1::x',
  '::warning::',
  '::error::x',
  'a ::warning ::b',
])('the line %j is an ordinary one', (line) => {
  expect(parseLogCommand(line)).toBeUndefined();
});

it('cuts a message that is too long to pass on', () => {
  expect(parseLogCommand(`::warning ::${'x'.repeat(5000)}`)).toEqual({ kind: 'warning', message: 'x'.repeat(500) });
});
