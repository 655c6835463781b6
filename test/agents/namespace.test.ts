import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Invocation } from '../../src/agents/agent.ts';
import { findProgram } from '../../src/agents/find-program.ts';
import { openNamespace, TOOL_PATH } from '../../src/agents/namespace.ts';
import { listProcesses, namespaceOf, readProcess } from '../../src/agents/proc.ts';
import type { Task } from '../../src/plan/plan.ts';
import { makeAttempt, type TestAttempt } from '../support/agent.ts';
import { availableNamespaces } from '../support/isolations.ts';
import { aliveOf, isAlive, processesOf, readWhole, waitUntil, waitUntilGone } from '../support/processes.ts';

const DEAF = 'trap "" TERM HUP INT; while :; do sleep 1; done';
/** Leaves its parents, its session, its environment and its outputs: without a namespace nothing leads to it. */
const GHOST = `(setsid env -i sh -c '${DEAF}' </dev/null >/dev/null 2>&1 &)`;

/** All living processes in a PID namespace, by their numbers outside. */
function processesIn(namespace: string): number[] {
  return listProcesses().flatMap(({ pid }) => (namespaceOf(pid) === namespace && isAlive(pid) ? [pid] : []));
}

const kinds = await availableNamespaces();

describe.each(kinds)('an agent in a %s', (isolation) => {
  const attemptAt = (run: Task['run'], parts: Partial<Invocation> = {}): TestAttempt =>
    makeAttempt({ run }, { isolation, graceMs: 200, ...parts });

  /** Starts it, waits for its words in the log, and gives the name of its namespace. */
  async function begin(attempt: TestAttempt, words: string) {
    const performed = attempt.perform();
    await waitUntil(words, () => readWhole(attempt.invocation.logFile)?.includes(words) ?? false);
    const inside = processesOf(attempt.invocation.token).map((pid) => namespaceOf(pid));
    const namespace = inside.find((name) => name !== undefined && name !== namespaceOf('self'))!;
    return { performed, namespace };
  }

  it.each([
    ['exit 0', { kind: 'completed', exitCode: 0 }],
    ['exit 7', { reason: 'Exit code 7', exitCode: 7 }],
    ['exit 137', { reason: 'Exit code 137', exitCode: 137 }],
    ['exit 255', { reason: 'Exit code 255', exitCode: 255 }],
    ['kill -KILL $$', { reason: 'Killed by SIGKILL', exitCode: 137 }],
    ['kill -TERM $$', { reason: 'Killed by SIGTERM', exitCode: 143 }],
    ['kill -SEGV $$', { reason: 'Killed by SIGSEGV', exitCode: 139 }],
    ['kill -HUP $$', { reason: 'Killed by SIGHUP', exitCode: 129 }],
    ['kill -INT $$', { reason: 'Killed by SIGINT', exitCode: 130 }],
    ['trap "exit 5" TERM; kill 0; sleep 1', { reason: 'Exit code 5', exitCode: 5 }],
  ])('ends by %j as it would without', async (run, facts) => {
    const attempt = attemptAt(run);
    expect(await attempt.perform()).toMatchObject(facts);
    expect(attempt.processes()).toEqual([]);
    expect(attempt.warnings()).toEqual([]);
  });

  it('has its folder, its user, its input, and a log of its own words only', async () => {
    const attempt = attemptAt('pwd; id -u; cat');
    await attempt.perform();
    expect(attempt.log()).toBe(`${attempt.invocation.projectDir}\n${process.getuid?.()}\n`);
  });

  it('has its environment, no more and no less', async () => {
    // A name that shells drop: none may stand between.
    const attempt = attemptAt(['env'], { env: { 'odd.name/with': 'value' } });
    await attempt.perform();
    const expected = Object.entries(attempt.invocation.env).map(([name, value]) => `${name}=${value}`);
    expect(attempt.log().trimEnd().split('\n').sort()).toEqual(expected.sort());
  });

  it('sees itself only, and can signal nobody outside', async () => {
    const victim = spawn('sleep', ['1000'], { stdio: 'ignore' });
    onTestFinished(() => void victim.kill('SIGKILL'));
    const run = `ls /proc | grep -c '^[0-9]'
      kill -9 ${victim.pid} || echo no victim; kill -0 ${process.pid} || echo no worker
      sh -c 'kill -9 -1'; kill -9 1; echo done`;
    const attempt = attemptAt(run);
    // The last shell kills everybody whom it can reach: us first of all.
    expect(await attempt.perform()).toMatchObject({ reason: 'Killed by SIGKILL' });
    const words = attempt.log().split('\n');
    expect(Number(words[0])).toBeLessThan(8);
    expect(words).toEqual(expect.arrayContaining(['no victim', 'no worker']));
    expect(isAlive(victim.pid!)).toBe(true);
  });

  it('that kills its parent reaches nobody but itself', async () => {
    expect(await attemptAt('echo $PPID; kill -9 $PPID; sleep 1').perform()).toMatchObject({ kind: 'retryable' });
  });

  it('keeps no dead processes', async () => {
    const attempt = attemptAt(
      '(sleep 0.01 &); (sleep 0.01 &); sleep 0.1; grep -hs "^State:.Z" /proc/[0-9]*/status; true',
    );
    await attempt.perform();
    expect(attempt.log()).toBe('');
  });

  it('takes a daemon with it that nothing leads to, when it has ended', async () => {
    const attempt = attemptAt(`${GHOST}; sleep 0.1; echo begun; read -r line < fifo`, { graceMs: 50 });
    await makeFifo(path.join(attempt.invocation.projectDir, 'fifo'));
    const { performed, namespace } = await begin(attempt, 'begun');
    const pids = processesIn(namespace);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    await open(attempt, 'fifo');
    expect(await performed).toMatchObject({ kind: 'completed' });
    expect(aliveOf(pids)).toEqual([]);
    expect(attempt.warnings()).toEqual([expect.stringMatching(/left running by the agent, and stopped: /)]);
  });

  it.each(['cancel', 'shutdown', 'lost'] as const)(
    'is gone with all its daemons when stopped by %s',
    async (reason) => {
      const attempt = attemptAt(`${GHOST}; ${GHOST}; sleep 0.1; echo begun; ${DEAF}`, { graceMs: 50 });
      const { performed, namespace } = await begin(attempt, 'begun');
      const pids = processesIn(namespace);
      attempt.stop(reason);
      await performed;
      expect(pids.length).toBeGreaterThanOrEqual(6);
      expect(aliveOf(pids)).toEqual([]);
      expect(processesIn(namespace)).toEqual([]);
      expect(attempt.warnings()).toEqual([]);
    },
  );

  it('has its grace: TERM reaches it and its server, and nothing ends before they do', async () => {
    const bye = (name: string): string => `trap "sleep 0.1; echo ${name} tidied; exit 0" TERM`;
    const loop = 'while :; do sleep 0.02; done';
    const server = `setsid sh -c '${bye('server')}; ${loop}'`;
    const attempt = attemptAt(`${server} & ${bye('agent')}; sleep 0.1; echo begun; ${loop}`, { graceMs: 5000 });
    const { performed } = await begin(attempt, 'begun');
    attempt.stop('shutdown');
    expect(await performed).toMatchObject({ kind: 'snoozed' });
    expect(attempt.log()).toContain('agent tidied');
    expect(attempt.log()).toContain('server tidied');
  });

  it('gives its computing and its daemons as signs of life', async () => {
    const burn = 'while [ ! -e stop ]; do i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; done';
    const attempt = attemptAt(`(setsid sh -c '${burn}' &); sleep 1.2; touch stop`, { zombieMs: 500 });
    expect(await attempt.perform()).toMatchObject({ kind: 'completed' });
  });

  it('can be stopped in the moment it starts', async () => {
    for (let delay = 0; delay < 8; delay++) {
      const attempt = attemptAt(DEAF, { graceMs: 0 });
      const performed = attempt.perform();
      await waitUntil('a moment', () => attempt.processes().length > Math.min(delay, 3));
      attempt.stop('cancel');
      expect(await performed).toEqual({ kind: 'cancelled', reason: 'cancelled' });
      expect(attempt.processes()).toEqual([]);
    }
  });

  it.each([
    [['no-such-program'], {}, 'cannot start "no-such-program": no such program'],
    [['./no-such-program'], {}, 'cannot start "./no-such-program": no such program'],
    [['/etc/passwd'], {}, 'cannot start "/etc/passwd": permission denied'],
    [['true'], { projectDir: '/no/such/folder' }, 'cannot start "true": the folder /no/such/folder does not exist'],
  ])('that cannot be started is told as without: %j', async (run, parts, reason) => {
    const attempt = attemptAt(run, parts);
    expect(await attempt.perform()).toEqual({ kind: 'failed', reason });
    expect(attempt.reports).toEqual([]);
    expect(attempt.processes()).toEqual([]);
  });

  it.each(['with', 'without'])('dies with a worker that is killed alone, %s setpriv', async (how) => {
    const { worker, pids } = await startWorker(isolation, how === 'with' ? TOOL_PATH : toolsWithout('setpriv'));
    worker.kill('SIGKILL');
    await waitUntilGone(pids);
  });
});

async function makeFifo(file: string): Promise<void> {
  const child = spawn('mkfifo', [file]);
  await new Promise((resolve) => child.once('exit', resolve));
}

/** Writes to the other end of a fifo on which the agent waits. */
async function open(attempt: TestAttempt, name: string): Promise<void> {
  const child = spawn('/bin/sh', ['-c', `echo > ${name}`], { cwd: attempt.invocation.projectDir });
  await new Promise((resolve) => child.once('exit', resolve));
}

/** A folder with links to the tools, but not to one of them. */
function toolsWithout(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'planq-tools-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const tool of ['unshare', 'nsenter', 'setsid', 'setpriv', 'env', 'cat']) {
    const found = findProgram(tool, TOOL_PATH, '/');
    if (tool !== name && found.ok) symlinkSync(found.value, path.join(folder, tool));
  }
  return folder;
}

/** A process that holds a namespace with a ghost in it, and has no guardian. */
async function startWorker(isolation: string, toolPath: string): Promise<{ worker: ChildProcess; pids: number[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'planq-holder-'));
  const source = new URL('../../src/agents/namespace.ts', import.meta.url).href;
  const script = `
    import { spawn } from 'node:child_process';
    import { openNamespace } from '${source}';
    const opened = await openNamespace('${isolation}', {}, '${toolPath}');
    const { file, args } = opened.value.enter('/bin/sh', ['-c', ${JSON.stringify(`${GHOST}; sleep 0.1; echo begun; ${DEAF}`)}], '/');
    const entry = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    console.log('holder ' + opened.value.holder.pid + ' entry ' + entry.pid);
    setInterval(() => {}, 1000);`;
  const worker = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => {
    worker.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  let words = '';
  worker.stdout.on('data', (chunk: Buffer) => {
    words += chunk.toString();
  });
  const [, holder, entry] = await waitUntil('the agent', () => {
    const found = /holder (\d+) entry (\d+)/.exec(words);
    return found !== null && words.includes('begun') ? found : undefined;
  });
  const namespace = namespaceOf(Number(holder), 'pid_for_children')!;
  const inside = processesIn(namespace);
  expect(inside.length).toBeGreaterThanOrEqual(3);
  return { worker, pids: [Number(holder), Number(entry), ...inside] };
}

it('a namespace that cannot be had is refused with the reason', async () => {
  expect(await openNamespace('namespace', {}, '/no/such/folder')).toEqual({
    ok: false,
    error: 'there is no program "unshare"',
  });
});

// Nothing to close where no namespace can be made.
if (kinds.length > 0)
  it('a namespace that is closed has ended, and can be closed again', async () => {
    const opened = await openNamespace(kinds[0]!, {});
    if (!opened.ok) throw new Error(opened.error);
    const { holder, close } = opened.value;
    expect(readProcess(holder.pid)).toMatchObject({ session: holder.pid });
    await close();
    await close();
    expect(isAlive(holder.pid)).toBe(false);
  });
