/** A worker process for tests: the same pool as `planq worker`, ended by SIGTERM. Says "ready" on stdout. */
import { createApp } from '../../src/app.ts';

const app = await createApp({
  env: process.env,
  cwd: process.cwd(),
  warn: (message, facts) => process.stderr.write(`${message} ${JSON.stringify(facts ?? {})}\n`),
});
const pool = await app.createPool(null);
await pool.start();
process.stdout.write(`ready ${pool.id}\n`);
process.once('SIGTERM', async () => {
  await pool.stop();
  await app.close();
  process.exit(0);
});
