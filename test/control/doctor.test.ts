import { expect, onTestFinished, test } from 'vitest';
import { examine } from '../../src/control/doctor.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp } from '../support/app.ts';
import { startGuardedServer } from '../support/redis-access.ts';

test('the doctor names the tier in which agents are held', async () => {
  const app = await createTestApp();
  const look = async (tier: 'A' | 'C') => {
    const findings = await examine({
      config: app.config,
      clock: systemClock,
      nodeVersion: process.version,
      detectTier: async () => ({ tier, how: 'as tried', reason: 'no better one' }),
      agentLimits: async () => ['memory: as tried', 'processors: as tried'],
      openStore: async () => app.store,
      receivers: [],
    });
    return findings.find((finding) => finding.name === 'process-control');
  };
  expect(await look('A')).toMatchObject({ status: 'ok', message: 'tier A: as tried' });
  expect(await look('C')).toMatchObject({ status: 'warn', message: 'tier C: as tried (no better one)' });
});

test('the doctor says that a Redis user with a name may not look for jobs of no run', async () => {
  const server = await startGuardedServer('test-*', ['+scan']);
  onTestFinished(server.stop);
  const look = async (redisUrl: string) => {
    const app = await createTestApp({ redisUrl });
    const findings = await examine({
      config: app.config,
      clock: systemClock,
      nodeVersion: process.version,
      detectTier: async () => ({ tier: 'A', how: 'as tried', reason: '' }),
      agentLimits: async () => [],
      openStore: async () => app.store,
      receivers: [],
    });
    return findings.find(({ name }) => name === 'access');
  };
  expect(await look(server.url)).toMatchObject({
    status: 'ok',
    message: expect.stringContaining('jobs of no run stay'),
  });
  expect(await look(server.socket)).toMatchObject({ message: expect.not.stringContaining('jobs of no run') });
});

test('the doctor names who is notified of what, and a secret that is missing', async () => {
  const app = await createTestApp();
  const entry = { to: 'notify[0] (webhook example.com)', on: ['failed', 'approval'] };
  const findings = await examine({
    config: app.config,
    clock: systemClock,
    nodeVersion: process.version,
    detectTier: async () => ({ tier: 'A', how: 'as tried', reason: '' }),
    agentLimits: async () => [],
    openStore: async () => app.store,
    receivers: [
      { ...entry, secretEnv: null, hasSecret: false },
      { ...entry, secretEnv: 'HOOK', hasSecret: true },
      { ...entry, secretEnv: 'HOOK', hasSecret: false },
    ],
  });
  const told = findings.filter(({ name }) => name === 'notify').map(({ status, message }) => [status, message]);
  expect(told).toEqual([
    ['ok', 'notify[0] (webhook example.com) is told of failed, approval'],
    ['ok', 'notify[0] (webhook example.com) is told of failed, approval; signed with the secret in HOOK'],
    [
      'fail',
      'notify[0] (webhook example.com) is told of failed, approval, but the variable HOOK with its secret is not set',
    ],
  ]);
});
