import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTimeOf } from '../../src/agents/proc.ts';
import { type StopTarget, stopTree, sweepLeftovers } from '../../src/agents/stop.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomId } from '../../src/runtime/random.ts';
import { aliveOf, isAlive, readPid, waitUntil } from '../support/processes.ts';

const LOOP = 'while :; do sleep 1; done';
const DEAF = `trap "" TERM HUP INT; ${LOOP}`;

interface StartedTree {
  target: StopTarget;
  folder: string;
  /** Waits until the script has written `<name>.pid`. */
  pidOf(name: string): Promise<number>;
}

/** Runs a shell script as agents are run: its own session, our marker. `note x` in it writes its process number to x.pid. */
function startTree(script: string, graceMs = 5000): StartedTree {
  const folder = mkdtempSync(path.join(tmpdir(), 'planq-stop-'));
  const token = randomId(24);
  const env = { PATH: process.env.PATH, PLANQ_ATTEMPT_TOKEN: token };
  const child = spawn('/bin/sh', ['-c', script], { cwd: folder, detached: true, stdio: 'ignore', env });
  const target = { pid: child.pid!, startTime: startTimeOf(child.pid!)!, token, graceMs };
  onTestFinished(async () => {
    await stopTree({ ...target, graceMs: 0 }, systemClock);
    rmSync(folder, { recursive: true });
  });
  const pidOf = (name: string): Promise<number> =>
    waitUntil(`${name} to start`, () => readPid(path.join(folder, `${name}.pid`)));
  return { target, folder, pidOf };
}

const note = (name: string): string => `echo $$ > ${name}.pid`;
/** A process of its own that notes itself and then runs `body`. */
const inside = (name: string, body: string): string => `sh -c '${note(name)}; ${body}'`;

describe('the stop ladder', () => {
  it('stops a tree of deaf children, other sessions and daemons', async () => {
    const names = ['child', 'deaf', 'session', 'deaf-session', 'daemon'];
    const script = [
      `${inside('child', LOOP)} &`,
      `${inside('deaf', DEAF)} &`,
      `setsid ${inside('session', LOOP)} &`,
      `setsid ${inside('deaf-session', DEAF)} &`,
      `(setsid ${inside('daemon', DEAF)} &)`,
      'wait',
    ].join('\n');
    const { target, pidOf } = startTree(script, 100);
    const pids = [target.pid, ...(await Promise.all(names.map(pidOf)))];
    expect(await stopTree(target, systemClock)).toEqual({ survivors: [], suspects: [] });
    expect(aliveOf(pids)).toEqual([]);
  });

  it('stops a child without environment in another session while its parent lives', async () => {
    const { target, pidOf } = startTree(`setsid env -i ${inside('nameless', DEAF)} & wait`, 50);
    const pid = await pidOf('nameless');
    expect(await stopTree(target, systemClock)).toEqual({ survivors: [], suspects: [] });
    expect(isAlive(pid)).toBe(false);
  });

  it('does not find a daemon that emptied its environment, but points at it', async () => {
    const { target, folder, pidOf } = startTree(`(setsid env -i ${inside('nameless', DEAF)} &)\nsleep 1000`, 100);
    const pid = await pidOf('nameless');
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    const suspects = expect.arrayContaining([pid]);
    expect(await stopTree({ ...target, folder }, systemClock)).toEqual({ survivors: [], suspects });
    expect(isAlive(pid)).toBe(true);
  });

  it('finds even that one when it was seen before it left, or writes to the log', async () => {
    const daemon = (name: string, redirect: string): string => `(setsid env -i ${inside(name, DEAF)} ${redirect} &)`;
    const { target, folder, pidOf } = startTree(`${daemon('seen', '')}\n${daemon('writer', '>log')}\nsleep 1000`, 100);
    const [seen, writer] = [await pidOf('seen'), await pidOf('writer')];
    const known = [{ pid: seen, startTime: startTimeOf(seen)! }];
    const logFile = path.join(folder, 'log');
    expect(await stopTree({ ...target, known, logFile }, systemClock)).toEqual({ survivors: [], suspects: [] });
    expect(aliveOf([seen, writer])).toEqual([]);
  });

  it('is quick when everybody obeys, whatever the grace', async () => {
    const { target } = startTree(LOOP, 60_000);
    expect(await stopTree(target, systemClock)).toEqual({ survivors: [], suspects: [] });
    expect(isAlive(target.pid)).toBe(false);
  });

  it('lets a process in its own session say goodbye', async () => {
    const goodbye = `trap "echo 1 > goodbye.pid; exit" TERM; ${note('server')}; while :; do sleep 0.02; done`;
    const { target, pidOf } = startTree(`setsid sh -c '${goodbye}' & wait`);
    await pidOf('server');
    await stopTree(target, systemClock);
    expect(await pidOf('goodbye')).toBe(1);
  });

  it('leaves a process alone that has only the number of the agent', async () => {
    const { target, pidOf } = startTree(`${note('stranger')}; exec sleep 1000`);
    await pidOf('stranger');
    const earlier = { ...target, startTime: String(Number(target.startTime) - 1), token: 'another-token' };
    expect(await stopTree(earlier, systemClock)).toEqual({ survivors: [], suspects: [] });
    expect(isAlive(target.pid)).toBe(true);
  });

  it('never stops the process that asks for it', async () => {
    // In a process of its own: it is told to stop itself, as the leader of its group.
    const core = new URL('../../src/agents/programs/', import.meta.url).href;
    const script = `
      import { startTimeOf } from '${core}proc.mjs';
      import { killTrees, Tree } from '${core}tree.mjs';
      const tree = new Tree({ pid: process.pid, startTime: startTimeOf(process.pid), token: 'own' });
      process.exitCode = (await killTrees([tree], async () => {}))[0].length === 0 ? 7 : 8;`;
    const env = { PLANQ_ATTEMPT_TOKEN: 'own' };
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      detached: true,
      stdio: 'inherit',
      env,
    });
    expect(await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))).toBe(7);
  });
});

describe('the sweep after an agent has ended', () => {
  it('stops what was left running and names it', async () => {
    const { target, pidOf } = startTree(
      `setsid ${inside('left', DEAF)} & while [ ! -e left.pid ]; do sleep 0.01; done`,
      50,
    );
    const left = await pidOf('left');
    await waitUntil('the agent to end', () => !isAlive(target.pid));
    const { found, survivors } = await sweepLeftovers(target, systemClock);
    expect(found).toContain(left);
    expect(survivors).toEqual([]);
    expect(isAlive(left)).toBe(false);
  });

  it('says nothing of children that are just about to end', async () => {
    const { target } = startTree('sleep 0.05 & exit 0');
    await waitUntil('the agent to end', () => !isAlive(target.pid));
    expect(await sweepLeftovers(target, systemClock)).toEqual({ found: [], survivors: [], suspects: [] });
  });
});
