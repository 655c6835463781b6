import { expect, onTestFinished, test } from 'vitest';
import { createConnection } from '../../src/redis/connection.ts';
import { startGuardedServer } from '../support/redis-access.ts';

const REFUSED = [
  ['CONFIG', 'GET', 'dir'],
  ['CONFIG', 'SET', 'appendonly', 'no'],
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['KEYS', '*'],
  ['SCAN', '0'],
  ['SCRIPT', 'FLUSH'],
  ['FUNCTION', 'LIST'],
  ['SHUTDOWN'],
  ['REPLICAOF', 'NO', 'ONE'],
  ['ACL', 'LIST'],
  ['CLIENT', 'LIST'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['CLIENT', 'PAUSE', '1'],
  ['MONITOR'],
  ['PUBLISH', 'anywhere', 'text'],
  ['GET', 'somebody-elses'],
  ['SET', 'somebody-elses', 'mine'],
  ['GET', '{mine2}:runs'],
  ['EVAL', "return redis.call('GET', 'somebody-elses')", '0'],
];

test('the user that the docs make cannot do anything but what planq does', async () => {
  const server = await startGuardedServer('mine');
  onTestFinished(server.stop);
  const redis = createConnection({ url: server.url });
  onTestFinished(() => redis.disconnect());
  for (const [command, ...words] of REFUSED) {
    const reply = await redis.call(command!, ...words).catch((error: Error) => error.message);
    expect(`${command} ${words.join(' ')}: ${reply}`).toMatch(
      /NOPERM|no permissions|ACL failure|user executing the script can't/i,
    );
  }
  expect(await redis.set('{mine}:runs', 'text')).toBe('OK');
  // The log joins what is alike; the tests that count on an empty one need it to fill.
  const some = ['command flushall (toplevel, flushall)', 'key somebody-elses (lua, eval)'];
  expect(await server.denials()).toEqual(expect.arrayContaining(some));
});
