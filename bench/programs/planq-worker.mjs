/** A planq worker as `planq worker` runs it, from the built code, without its log. */
import { tuneEngine } from '../../dist/cli/worker-engine.js';
import { createApp } from '../../dist/index.js';
import { obey } from './worker-loop.mjs';

tuneEngine();
obey(async ({ socket, prefix, projectDir, concurrency }) => {
  /** A warning may come thousands of times in a drain; writing each would be measured too. */
  const warnings = new Map();
  const app = await createApp({
    env: { PATH: process.env.PATH, HOME: process.env.HOME, REDIS_URL: socket, PLANQ_PREFIX: prefix },
    cwd: projectDir,
    overrides: { concurrency },
    warn: (message) => void warnings.set(message, (warnings.get(message) ?? 0) + 1),
  });
  const pool = await app.createPool(null);
  await pool.start();
  return async () => {
    await pool.stop();
    await app.close();
    for (const [message, count] of warnings) process.stderr.write(`worker, ${count} times: ${message}\n`);
  };
});
