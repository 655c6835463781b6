import { expect, it } from 'vitest';
import { takeOverWarnings } from '../../../src/cli/terminal/library-warnings.ts';

it('tells what libraries warn of once, on one line, and drops what planq says itself', () => {
  const told: string[] = [];
  const before = console.warn;
  const giveBack = takeOverWarnings({ warn: (text) => void told.push(text) });
  console.warn('[WARN] a password\n   was supplied');
  console.warn('[WARN] a password\n   was supplied');
  console.warn('IMPORTANT! Eviction policy is allkeys-lru. It should be "noeviction"');
  giveBack();
  expect(told).toEqual(['[WARN] a password was supplied']);
  expect(console.warn).toBe(before);
});
