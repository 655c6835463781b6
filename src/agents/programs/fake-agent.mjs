/**
 * The fake agent: a program that behaves as it is told on standard input, see `fake-options.ts`. It keeps no state; whether
 * an attempt fails follows from the attempt's number alone.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { identity, options, outputs, outputFile, journal } = JSON.parse(readFileSync(0, 'utf8'));

if (options['ignore-term']) for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(name, () => {});
const grandchildren = Array.from({ length: options.grandchildren }, startGrandchild);
record('start', grandchildren.length > 0 ? { grandchildren } : {});
if (options.hang) await new Promise(() => setInterval(() => {}, 2 ** 30));
flood(options.flood);
await work();
await waitFor(options['wait-for']);
finish();

/** Changes session and is deaf to everything but KILL, as a badly written server is. */
function startGrandchild() {
  const script = 'trap "" TERM HUP INT; while :; do sleep 1; done';
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore' });
  child.unref();
  return child.pid;
}

async function work() {
  const steps = Math.max(1, options.steps);
  for (let step = 1; step <= steps; step++) {
    await sleep(options.work / steps);
    if (options.steps > 0) say(`::progress ${Math.round((100 * step) / steps)}::step ${step} of ${steps}`);
  }
}

async function waitFor(file) {
  while (file !== null && !existsSync(file)) await sleep(20);
}

function finish() {
  const signal = options['die-by'];
  const code = options.exitCode;
  if (signal === null && code === 0) {
    outputs.forEach(writeOutput);
    for (const [key, value] of Object.entries(options.values)) writeValue(key, value);
    say(`${identity.task}: done`);
  } else {
    say(`${identity.task}: attempt ${identity.attempt} fails as it was told`);
  }
  record('end', signal === null ? { code } : { signal });
  if (signal !== null) process.kill(process.pid, signal);
  // A signal that does not end a process (SIGCONT, SIGSTOP and continued) leaves the exit code to tell.
  else process.exit(code);
}

function writeOutput({ path: file, isEmpty }) {
  const target = file.endsWith('/') ? path.join(file, 'fake.txt') : file;
  // A plan is tried out in a real project: what stands there already is the user's, and counts as written.
  const workspace = `${process.env.PLANQ_WORKSPACE ?? ''}${path.sep}`;
  if (!target.startsWith(workspace) && existsSync(target)) {
    say(`${identity.task}: ${file} is there already and stays as it is`);
    return;
  }
  mkdirSync(path.dirname(target), { recursive: true });
  // In one step: tasks side by side may share an output, and none is to see another's half-written file.
  // Not named after the process: in a namespace of its own each agent has the same number.
  const draft = `${target}.${randomUUID()}.tmp`;
  writeFileSync(draft, isEmpty ? '' : contentFor(target));
  renameSync(draft, target);
}

function contentFor(file) {
  const about = { task: identity.task, attempt: identity.attempt, by: 'fake agent' };
  if (/\.jsonl?$/.test(file)) return `${JSON.stringify(about)}\n`;
  return `Written by the fake agent for task ${identity.task}, attempt ${identity.attempt}.\n`;
}

function writeValue(key, value) {
  appendFileSync(outputFile, value.includes('\n') ? `${key}<<PLANQ_END\n${value}\nPLANQ_END\n` : `${key}=${value}\n`);
}

function flood(bytes) {
  const line = `${'x'.repeat(99)}\n`;
  const chunk = line.repeat(1000);
  for (let left = bytes; left > 0; left -= chunk.length) writeSync(1, left < chunk.length ? chunk.slice(-left) : chunk);
}

function say(text) {
  writeSync(1, `${text}\n`);
}

/** One write per line, so that the lines of many agents never mix. */
function record(event, facts) {
  if (journal === undefined) return;
  appendFileSync(journal, `${JSON.stringify({ event, ...identity, pid: process.pid, at: Date.now(), ...facts })}\n`);
}
