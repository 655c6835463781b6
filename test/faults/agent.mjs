/**
 * The agent of the fault tests. It keeps a journal of its own, one write per line, so that what was really done can be
 * counted whatever planq says. Its orders are one JSON value in the first argument, see `AgentOrders` in `lab.ts`.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const { journal, work, ticks, failTimes, gate, needsFile, ignoreTerm, takes } = JSON.parse(process.argv[2]);
const { PLANQ_RUN_ID: run, PLANQ_TASK_ID: task, PLANQ_ATTEMPT: attempt, PLANQ_ATTEMPT_TOKEN: token } = process.env;
const TICK_MS = 15;

if (ignoreTerm) for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(name, () => {});
record('start');
if (ticks) setInterval(() => record('tick'), TICK_MS).unref();
await sleep(work);
while (gate !== undefined && !existsSync(gate)) await sleep(20);
const isHealthy = needsFile === undefined || existsSync(needsFile);
const code = isHealthy && Number(attempt) > failTimes ? 0 : 1;
record('end', { code });
process.exit(code);

/** The monotonic clock is one for all processes of a machine. */
function record(event, facts = {}) {
  const at = Number(process.hrtime.bigint() / 1000n) / 1000;
  appendFileSync(
    journal,
    `${JSON.stringify({ event, at, run, task, attempt: Number(attempt), token, takes, ...facts })}\n`,
  );
}
