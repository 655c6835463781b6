import { defineConfig } from 'vitest/config';
import { FaultReporter } from './test/faults/reporter.ts';

export default defineConfig({
  test: {
    include: [
      'test/faults/*.fault.ts',
      ...(process.env.PLANQ_NIGHTLY === '1' ? ['test/faults/nightly/*.fault.ts'] : []),
    ],
    reporters: [new FaultReporter()],
    pool: 'forks',
    // Most of the time is waiting; the times that are measured leave room for a neighbour. What size costs is measured alone.
    maxWorkers: process.env.PLANQ_NIGHTLY === '1' ? 1 : 2,
    testTimeout: 40 * 60_000,
    hookTimeout: 60_000,
    // A broken promise is not tried again until it holds.
    retry: 0,
  },
});
