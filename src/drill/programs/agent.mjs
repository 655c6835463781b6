/**
 * The agent of the drill and of the fault tests. It keeps a journal of its own, one write per line, so that what was really
 * done can be counted whatever planq says. Its orders are one JSON value in the first argument, see `AgentOrders` in
 * `../orders.ts`.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const orders = JSON.parse(process.argv[2]);
const { journal, work, ticks, failTimes, gate, needsFile, ignoreTerm, takes } = orders;
const { PLANQ_RUN_ID: run, PLANQ_TASK_ID: task, PLANQ_ATTEMPT: attempt, PLANQ_ATTEMPT_TOKEN: token } = process.env;
const TICK_MS = 15;
/** So that an agent that ticks is not taken for one that hangs. */
const TICKS_PER_LINE = 20;
let ticked = 0;

if (ignoreTerm) for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(name, () => {});
const mark = orders.children > 0 ? startChildren() : undefined;
record('start', mark === undefined ? {} : { mark });
if (Number(attempt) <= (orders.hangTimes ?? 0)) await new Promise(() => setInterval(() => {}, 2 ** 30));
if (ticks) setInterval(tick, TICK_MS).unref();
if (orders.floodBytes > 0) flood();
await sleep(work);
while (gate !== undefined && !existsSync(gate)) await sleep(20);
if (orders.floodBytes > 0) writeSync(1, `${orders.name} is over\n`);
const isHealthy = needsFile === undefined || existsSync(needsFile);
const code = isHealthy && Number(attempt) > failTimes ? 0 : 1;
record('end', { code });
process.exit(code);

function tick() {
  record('tick');
  if (++ticked % TICKS_PER_LINE === 0) writeSync(1, `${ticked} ticks\n`);
}

/** Deaf to everything but KILL, every second one in a session of its own. @returns what stands in their command lines */
function startChildren() {
  const own = `${orders.name}-${process.hrtime.bigint()}`;
  const script = 'trap "" TERM HUP INT; while :; do sleep 3600; done';
  for (let count = 0; count < orders.children; count++)
    spawn('/bin/sh', ['-c', script, own], { detached: count % 2 === 1, stdio: 'ignore' }).unref();
  return own;
}

function flood() {
  const chunk = `${'x'.repeat(99)}\n`.repeat(10_000);
  for (let left = orders.floodBytes; left > 0; left -= chunk.length) writeSync(1, chunk);
}

/** The monotonic clock is one for all processes of a machine. */
function record(event, facts = {}) {
  const at = Number(process.hrtime.bigint() / 1000n) / 1000;
  appendFileSync(
    journal,
    `${JSON.stringify({ event, at, run, task, attempt: Number(attempt), token, takes, ...facts })}\n`,
  );
}
