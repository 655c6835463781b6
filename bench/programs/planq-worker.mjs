/** A planq worker as `planq worker` runs it, from the built code, without its log. */
import { createApp } from '../../dist/index.js';
import { obey } from './worker-loop.mjs';

obey(async ({ socket, prefix, projectDir, concurrency }) => {
  const app = await createApp({
    env: { PATH: process.env.PATH, HOME: process.env.HOME, REDIS_URL: socket, PLANQ_PREFIX: prefix },
    cwd: projectDir,
    overrides: { concurrency },
    warn: (message, facts) => process.stderr.write(`worker: ${message} ${JSON.stringify(facts ?? {})}\n`),
  });
  const pool = await app.createPool(null);
  await pool.start();
  return async () => {
    await pool.stop();
    await app.close();
  };
});
