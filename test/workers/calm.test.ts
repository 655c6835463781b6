import { expect, test } from 'vitest';
import { createCalm } from '../../src/workers/calm.ts';
import { createFakeClock } from '../support/clock.ts';

function setUp() {
  const clock = createFakeClock();
  const told: string[] = [];
  const acts: string[] = [];
  const calm = createCalm({
    clock,
    warn: (message, facts) => void told.push(facts?.repeated === undefined ? message : `${message} ×${facts.repeated}`),
    rest: async () => void acts.push('rest'),
    resume: async () => void acts.push('resume'),
  });
  return { clock, told, acts, calm };
}

test('the same complaint is told once a minute, with how often it came in between', async () => {
  const { clock, told, calm } = setUp();
  for (let count = 0; count < 100; count++) {
    calm.note(new Error(`OOM command not allowed, ${count} bytes over`));
    await clock.advance(1000);
  }
  expect(told).toEqual(['OOM command not allowed, 0 bytes over', 'OOM command not allowed, 60 bytes over ×59']);
});

test('a storm stops fetching for two seconds, once', async () => {
  const { clock, acts, told, calm } = setUp();
  for (let count = 0; count < 1000; count++) calm.note(new Error('MISCONF'));
  expect(acts).toEqual(['rest']);
  await clock.advance(1900);
  expect(acts).toEqual(['rest']);
  await clock.advance(200);
  expect(acts).toEqual(['rest', 'resume']);
  expect(told).toEqual(['MISCONF', 'Redis keeps refusing; fetching again in 2 s']);
});

test('errors that are far apart are no storm', async () => {
  const { clock, acts, calm } = setUp();
  for (let count = 0; count < 20; count++) {
    calm.note(new Error('read ECONNRESET'));
    await clock.advance(300);
  }
  expect(acts).toEqual([]);
});

test('after the end nothing is resumed', async () => {
  const { clock, acts, calm } = setUp();
  for (let count = 0; count < 10; count++) calm.note(new Error('MISCONF'));
  calm.stop();
  await clock.advance(10_000);
  expect(acts).toEqual(['rest']);
});

test('which script was refused does not make it another complaint', () => {
  const { told, calm } = setUp();
  for (const script of ['13baac3e', 'c35baf76', '1e9bb7de'])
    calm.note(new Error(`OOM command not allowed. script: ${script}, on @user_script:450.`));
  expect(told).toHaveLength(1);
});

test('what is lost with a connection is told of, and fetching is not stopped for it', () => {
  const { told, acts, calm } = setUp();
  const messages = ['connect ECONNREFUSED', 'Connection is closed.', 'could not renew lock for job 7'];
  for (const message of messages) for (let count = 0; count < 100; count++) calm.note(new Error(message));
  expect(acts).toEqual([]);
  expect(told).toEqual(messages);
});
