import { expect, test } from 'vitest';
import { examine } from '../../src/control/doctor.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createTestApp } from '../support/app.ts';

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
