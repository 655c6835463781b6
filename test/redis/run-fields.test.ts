/**
 * A run's hash is read by the names of its fields, so every field that anything writes must be among them.
 */
import { expect, it } from 'vitest';
import { RUN_FIELDS } from '../../src/redis/keys.ts';
import { readScripts } from '../../src/redis/scripts.ts';
import { createTestApp, testPlan } from '../support/app.ts';

/** Fields of nodes, by their index. */
const OTHERS = /^[dfot]?\d+$/;

it('knows the fields that the scripts name', () => {
  const calls = [...readScripts({ queueEvents: true }).values()].flatMap((text) => [
    ...text.matchAll(/\b(?:hget|hmget|hset|hdel|hincrby|put)\(run_hash\(\w+\), ((?:'[^']*'|[^()'])*)\)/g),
  ]);
  const names = new Set(calls.flatMap(([, words]) => fieldsOf(words!)));
  expect(names.size).toBeGreaterThan(12);
  expect([...names].filter((name) => !RUN_FIELDS.includes(name))).toEqual([]);
});

it('knows the fields of a run that was submitted, claimed and completed', async () => {
  const app = await createTestApp();
  const tasks = { a: { agent: 'noop', approval: true }, b: { agent: 'noop', needs: 'a' } };
  const { runId } = await app.submit(
    testPlan({ name: 'all of it', 'on-failure': 'continue', limits: { agents: 1 }, tasks }),
  );
  const fields = await app.store.redis.hkeys(app.store.keys.run(runId));
  expect(fields).toEqual(expect.arrayContaining(['name', 'status', '0', 'd0', 'f0', 't0', 'o1']));
  expect(fields.filter((field) => !OTHERS.test(field) && !RUN_FIELDS.includes(field))).toEqual([]);
});

/** The names among arguments that are names and values in turns, or names alone. */
function fieldsOf(words: string): string[] {
  return [...words.matchAll(/'([A-Za-z][\w:]*)'/g)]
    .map(([, name]) => name!)
    .filter((name) => !['d', 'f', 'o', 't'].includes(name) && !STATES.has(name));
}

/** Values that are written: states of runs and of undos. */
const STATES = new Set([
  'running',
  'paused',
  'cancelled',
  'failed',
  'blocked',
  'completed',
  'wanted',
  'submitted',
  'nothing',
]);
