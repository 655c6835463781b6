import { expect, it } from 'vitest';
import { chooseTier, detectTier, type TierReport } from '../../src/agents/tier.ts';

const A: TierReport = { tier: 'A', how: 'PID namespace', reason: 'tried', isolation: 'namespace' };
const B: TierReport = { tier: 'B', how: 'guardian', reason: 'no PID namespace can be made here', isolation: 'none' };
const C: TierReport = { tier: 'C', how: 'process group', reason: 'this system has no /proc', isolation: 'none' };

it('the tier is found by trying, and says how and why', async () => {
  const found = await detectTier();
  expect(found.reason).not.toBe('');
  expect(found.how).not.toBe('');
  expect(found.isolation === 'none').toBe(found.tier !== 'A');
});

it('without the tools it is B, and says what is missing', async () => {
  expect(await detectTier('/no/such/folder')).toMatchObject({
    tier: 'B',
    isolation: 'none',
    reason: expect.stringContaining('there is no program "unshare"'),
  });
});

it.each([
  ['auto', A, A],
  ['auto', B, B],
  ['auto', C, C],
  ['namespace', A, A],
  ['none', A, { tier: 'B', isolation: 'none', reason: '"isolation" is "none"' }],
  ['none', B, B],
  ['none', C, C],
] as const)('with "isolation": "%s" and this machine the worker gets what it can', async (wanted, found, expected) => {
  expect(await chooseTier(wanted, async () => found)).toMatchObject(expected);
});

it.each([B, C])('a namespace that is demanded and cannot be had is refused, with the reason', async (found) => {
  await expect(chooseTier('namespace', async () => found)).rejects.toMatchObject({
    code: 'no_isolation',
    message: `cannot isolate agents: ${found.reason}`,
    hint: expect.stringContaining('"isolation"'),
  });
});
