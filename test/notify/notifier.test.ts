/** Real runs, told to real receivers by workers of this process. */
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Notification } from '../../src/notify/notification.ts';
import { anchorReceivers, createNotifier, type Notifier } from '../../src/notify/notifier.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Config } from '../../src/runtime/config.ts';
import { NOTIFY_TYPES, type NotifyEntry } from '../../src/runtime/notify-config.ts';
import { createTestApp, type TestApp, testPlan } from '../support/app.ts';
import { CA, startHookServer } from '../support/hook-server.ts';

function notifierOf(app: TestApp, notify: NotifyEntry[], env: Record<string, string> = {}): Notifier {
  const config: Config = { ...app.config, notify, passEnv: ['TEAM_TOKEN'] };
  return createNotifier({
    store: app.store,
    config,
    env: { PATH: process.env.PATH, ...env },
    clock: systemClock,
    random: () => 0.5,
    holder: 'one',
    ca: CA,
    warn: (message) => void app.warnings.push(message),
    onError: (error) => void app.warnings.push(String(error)),
  });
}

const hookTo = (port: number, secretEnv: string | null = null): NotifyEntry => ({
  on: [...NOTIFY_TYPES],
  webhook: `https://localhost:${port}/`,
  secretEnv,
  allowHosts: ['localhost'],
});

const FAILS = testPlan({
  name: 'Release',
  barrier: 'none',
  tasks: {
    build: { run: 'exit 3', retries: 0, env: { API_KEY: 'plan-secret' } },
    other: { agent: 'noop' },
    ship: { agent: 'noop', needs: ['build'] },
  },
});

it('a run that blocks, goes on by a person and completes is told step by step', async () => {
  const app = await createTestApp();
  const server = await startHookServer();
  const notifier = notifierOf(app, [hookTo(server.port)]);
  await notifier.start();
  await app.startPool();
  const { runId } = await app.submit(FAILS);
  await app.atRest(runId);
  const [told] = await server.bodies<Notification>(1);
  expect(told).toMatchObject({
    id: expect.stringMatching(new RegExp(`^${runId}-\\d+-\\d+$`)),
    type: 'blocked',
    reason: 'failure',
    text: `planq: run "Release" (${runId}) is blocked: build failed (Exit code 3); 1 blocked behind it; 1 of 3 tasks completed`,
    run: { id: runId, name: 'Release', state: 'blocked', counts: { total: 3, completed: 1, failed: 1, blocked: 1 } },
    failed: [{ task: 'build', reason: 'Exit code 3' }],
    blocked: ['ship'],
    waitingFor: [],
  });
  const index = (await app.view(runId)).tasks.findIndex(({ id }) => id === 'build');
  await app.store.steering.skip(runId, index, 'not needed');
  expect((await server.bodies<Notification>(2))[1]).toMatchObject({
    type: 'completed',
    text: `planq: run "Release" (${runId}) is completed: 2 of 3 tasks completed`,
    failed: [],
    blocked: [],
  });
  await notifier.stop();
});

it('an approval that the submit itself wants is told by the first worker', async () => {
  const app = await createTestApp();
  const server = await startHookServer();
  const entry = hookTo(server.port);
  await anchorReceivers(app.store, { ...app.config, notify: [entry] });
  const { runId } = await app.submit(testPlan({ tasks: { deploy: { agent: 'noop', approval: true } } }));
  const notifier = notifierOf(app, [entry]);
  await notifier.start();
  const [told] = await server.bodies<Notification>(1);
  await notifier.stop();
  expect(told).toMatchObject({ type: 'approval', waitingFor: ['deploy'], run: { id: runId } });
  // That the run is blocked by it is known to whoever hears of approvals.
  expect(server.hooks).toHaveLength(1);
});

it('what leaves the house has neither commands nor values of variables in it, also where an agent tells them', async () => {
  const app = await createTestApp();
  const server = await startHookServer();
  const notifier = notifierOf(app, [hookTo(server.port, 'HOOK_SECRET')], {
    HOOK_SECRET: 'hook-secret',
    TEAM_TOKEN: 'team-secret',
    REDIS_URL: 'redis://redis-secret',
  });
  await notifier.start();
  const reasons = 'plan-secret team-secret hook-secret redis://redis-secret';
  const { runId } = await app.submit(FAILS);
  await app.startPool({
    agents: new Map([
      [
        'command',
        { kind: 'command', validate: () => [], perform: async () => ({ kind: 'failed', reason: `no ${reasons}` }) },
      ],
      ['noop', { kind: 'noop', validate: () => [], perform: async () => ({ kind: 'completed' }) }],
    ]),
  });
  await app.atRest(runId);
  await server.bodies(1);
  await notifier.stop();
  expect(JSON.parse(server.hooks[0]!.body).failed).toEqual([{ task: 'build', reason: 'no *** *** *** ***' }]);
  expect(server.hooks[0]!.body).not.toMatch(/secret|exit 3/);
});

it('a secret that is not there is an error before anything starts', async () => {
  const app = await createTestApp();
  expect(() => notifierOf(app, [hookTo(1, 'HOOK_SECRET')])).toThrow(
    expect.objectContaining({
      code: 'config_invalid',
      message: 'cannot sign for notify[0] (webhook localhost:1): the variable HOOK_SECRET is not set',
    }),
  );
});

it('a pool that ends tells of the run that it has just completed', async () => {
  const app = await createTestApp();
  const file = path.join(app.projectDir, 'told');
  const config: Config = { ...app.config, notify: [{ on: ['completed'], command: `cat >> '${file}'` }] };
  const pool = await app.startPool({ config });
  const { runId } = await app.submit(testPlan({ tasks: { only: { agent: 'noop' } } }));
  await app.atRest(runId);
  await pool.stop();
  expect(JSON.parse(await app.file('told'))).toMatchObject({
    type: 'completed',
    run: { id: runId, state: 'completed' },
  });
});
