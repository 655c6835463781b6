/** The run's Redis for `npm run test:acl`: tests get the address of the user with few rights, and nothing may be refused. */
import type { TestProject } from 'vitest/node';
import { startGuardedServer } from './redis-access.ts';

/** Prefixes that tests make up, and what they look and tidy up with. planq itself needs none of it. */
export const FOR_TESTS = ['~{test-*', '~{cli-*', '+scan', '+keys', '+script|flush'];

/** @returns what ends the server, and fails when it has refused anything */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startGuardedServer('planq', FOR_TESTS);
  project.provide('redisUrl', server.url);
  return async () => {
    const denials = await server.denials();
    await server.stop();
    process.stdout.write(`${denials.length} commands refused\n`);
    if (denials.length > 0) throw new Error(`Redis refused: ${[...new Set(denials)].join(', ')}`);
  };
}
