import os from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { whoActs } from '../../src/cli/who.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('is who was named, else $USER, else the account, else unknown', () => {
  vi.stubEnv('USER', 'bob');
  expect(whoActs({ by: 'ann' })).toBe('ann');
  expect(whoActs({})).toBe('bob');
  vi.stubEnv('USER', '');
  expect(whoActs({})).toBe(os.userInfo().username);
  vi.spyOn(os, 'userInfo').mockImplementation(() => {
    throw new Error('ENOENT: no such user');
  });
  expect(whoActs({})).toBe('unknown');
});
