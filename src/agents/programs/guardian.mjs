/**
 * The guardian: one small process beside each worker. It kills the worker's agents when the worker is gone or no longer
 * says that it lives, whatever the reason: killed, stopped, stuck, cut off. It has its own session and ignores polite
 * signals, so that it outlives the worker by the moment it needs.
 *
 * In, one JSON value a line:   {"lease": id, "pid", "start", "token", "ttl", "log"?} · {"renew": [ids], "ttl"} · {"drop": id}
 * Out, one JSON value a line:  {"ready": true} once it is deaf · {"killed": id, "survivors": n}
 * `ttl` is milliseconds from arrival. The end of the input means that the worker is gone.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { killTrees, Tree } from './tree.mjs';

/** The longest that it sleeps while an agent lives; a timer cannot hold much more than three weeks. */
const LONGEST_SLEEP_MS = 60_000;
const leases = new Map();
/** Set for the end of the lease that ends first; none without a lease. */
let timer;
let wakesAt = Number.POSITIVE_INFINITY;

for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {});
// Nobody may be left to read what we say.
process.stdout.on('error', () => {});
process.stdin.on('error', () => {});

const lines = createInterface({ input: process.stdin });
lines.on('line', obey);
lines.on('close', async () => {
  await kill([...leases.keys()]);
  process.exit(0);
});
say({ ready: true });

function obey(line) {
  const order = parse(line);
  if (order.lease !== undefined) grant(order);
  for (const id of order.renew ?? []) extend(id, order.ttl);
  if (order.drop !== undefined) leases.delete(order.drop);
  watch();
}

function parse(line) {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}

function grant({ lease, pid, start, token, ttl, log }) {
  const tree = new Tree({ pid, startTime: start, token, logFile: log });
  leases.set(lease, { tree, endsAt: performance.now() + ttl });
}

function extend(id, ttl) {
  const lease = leases.get(id);
  if (lease !== undefined) lease.endsAt = performance.now() + ttl;
}

/** A timer that rings too early costs a look, so that it is only set anew for what ends sooner. */
function watch() {
  if (leases.size === 0) return;
  const now = performance.now();
  const endsAt = Math.min(now + LONGEST_SLEEP_MS, ...[...leases.values()].map((lease) => lease.endsAt));
  if (endsAt >= wakesAt) return;
  clearTimeout(timer);
  wakesAt = endsAt;
  timer = setTimeout(expire, Math.max(1, Math.ceil(endsAt - now)));
}

function expire() {
  wakesAt = Number.POSITIVE_INFINITY;
  const now = performance.now();
  const ended = [...leases].filter(([, lease]) => lease.endsAt <= now).map(([id]) => id);
  if (ended.length > 0) kill(ended);
  watch();
}

async function kill(ids) {
  const trees = ids.map((id) => leases.get(id).tree);
  for (const id of ids) leases.delete(id);
  const survivors = await killTrees(trees, (ms) => sleep(ms));
  ids.forEach((id, index) => {
    say({ killed: id, survivors: survivors[index].length });
  });
}

function say(word) {
  process.stdout.write(`${JSON.stringify(word)}\n`);
}
