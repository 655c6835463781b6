/**
 * Submits a plan file under a key, and dies on the way if it is told to: `add` = the record has the run, BullMQ nothing;
 * `confirm` = BullMQ has the jobs, the record does not know it yet.
 */
import { createApp } from '../../src/app.ts';

const [file = '', key = '', dieAt = ''] = process.argv.slice(2);
const app = await createApp({ env: process.env, cwd: process.cwd() });
const store = await app.store();
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};
if (dieAt === 'add') store.queues.flows.addBulk = async () => die();
if (dieAt === 'confirm') store.record.confirmAdded = async () => die();
const { runId } = await app.submit(await app.loadPlan(file), { key });
process.stdout.write(`${runId}\n`);
await app.close();
