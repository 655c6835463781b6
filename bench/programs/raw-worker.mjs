/** What a plain user of BullMQ writes: one worker, a function that does nothing, jobs kept after they completed. */
import { Worker } from 'bullmq';
import { obey } from './worker-loop.mjs';

obey(async ({ socket, prefix, concurrency }) => {
  const worker = new Worker('work', async () => undefined, {
    connection: { path: socket, maxRetriesPerRequest: null },
    prefix,
    concurrency,
  });
  worker.on('error', (error) => process.stderr.write(`worker: ${error.message}\n`));
  await worker.waitUntilReady();
  return () => worker.close();
});
