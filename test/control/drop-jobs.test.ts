import { expect, onTestFinished, test } from 'vitest';
import { dropJobs } from '../../src/control/drop-jobs.ts';
import { createTestApp, testPlan } from '../support/app.ts';
import { FOR_TESTS } from '../support/guarded-redis.ts';
import { waitUntil } from '../support/processes.ts';
import { startGuardedServer } from '../support/redis-access.ts';
import { createScriptedAgent } from '../support/scripted-agent.ts';

test('a failed job that nobody waits for any more is not let go of once more', async () => {
  // Here it would be seen: as a key without a name, which the user may not ask for.
  const server = await startGuardedServer('mine', FOR_TESTS);
  onTestFinished(server.stop);
  const app = await createTestApp({ redisUrl: server.url });
  const agent = createScriptedAgent(() => ({ kind: 'failed', reason: 'broken' }));
  const { runId } = await app.submit(testPlan({ tasks: { a: { agent: 'scripted' } } }, agent.kinds));
  await app.startPool({ agents: agent.agents });
  const jobs = app.store.queues.queue('master-development');
  const id = `${runId}.a`;
  await waitUntil('its job has failed', async () => (await jobs.getJobState(id)) === 'failed');
  for (let count = 0; count < 2; count++) await dropJobs(app.store, runId, [0]);
  const job = await jobs.getJob(id);
  expect([await job?.getState(), job?.parentKey]).toEqual(['failed', undefined]);
  expect(await server.denials()).toEqual([]);
});
