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
      openStore: async () => app.store,
    });
    return findings.find((finding) => finding.name === 'process-control');
  };
  expect(await look('A')).toMatchObject({ status: 'ok', message: 'tier A: as tried' });
  expect(await look('C')).toMatchObject({ status: 'warn', message: 'tier C: as tried (no better one)' });
});
