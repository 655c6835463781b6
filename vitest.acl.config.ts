import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** The tests that work on the run's Redis, as the user with few rights that docs/redis.md makes. */
export default mergeConfig(
  { ...base, test: { ...base.test, globalSetup: [], include: [] } },
  defineConfig({
    test: {
      include: ['test/{redis,producer,workers,control}/**/*.test.ts', 'test/system/{cli,steer,task-folder}.test.ts'],
      globalSetup: ['test/support/guarded-redis.ts'],
    },
  }),
);
