import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type GuardedAgent, Guardian, type GuardianOptions } from '../../src/agents/guardian.ts';
import { readProcess, startTimeOf } from '../../src/agents/proc.ts';
import { stopTree } from '../../src/agents/stop.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomId } from '../../src/runtime/random.ts';
import { aliveOf, isAlive, processesOf, readPid, waitUntil, waitUntilGone } from '../support/processes.ts';

const DEAF = 'trap "" TERM HUP INT; while :; do sleep 1; done';

/** A deaf agent with a deaf child in another session. */
async function startAgent(ttlMs: number): Promise<{ agent: GuardedAgent; pids: number[] }> {
  const token = randomId(24);
  const script = `setsid sh -c '${DEAF}' & ${DEAF}`;
  const env = { PATH: process.env.PATH, PLANQ_ATTEMPT_TOKEN: token };
  const { pid } = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore', env });
  const startTime = startTimeOf(pid!)!;
  onTestFinished(async () => void (await stopTree({ pid: pid!, startTime, token, graceMs: 0 }, systemClock)));
  await waitUntil('the child', () => processesOf(token).length >= 2);
  return { agent: { id: token, pid: pid!, startTime, token, ttlMs }, pids: processesOf(token) };
}

async function startGuardian(options: GuardianOptions = {}): Promise<Guardian> {
  const guardian = new Guardian(options);
  await guardian.start();
  onTestFinished(() => guardian.stop());
  return guardian;
}

/** A process that holds a guardian and one guarded agent, as a worker does. */
async function startHolder(ttlMs: number): Promise<{ holder: ChildProcess; pids: number[]; guardian: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'planq-guardian-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const token = randomId(24);
  const program = new URL('../../src/agents/programs/guardian.mjs', import.meta.url).pathname;
  const script = `
    import { spawn } from 'node:child_process';
    import { readFileSync, writeFileSync } from 'node:fs';
    const guardian = spawn(process.execPath, [${JSON.stringify(program)}], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    const env = { PATH: process.env.PATH, PLANQ_ATTEMPT_TOKEN: '${token}' };
    const { pid } = spawn('/bin/sh', ['-c', ${JSON.stringify(`setsid sh -c '${DEAF}' & ${DEAF}`)}], { detached: true, stdio: 'ignore', env });
    const start = readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ').at(-1).split(' ')[19];
    const say = (order) => guardian.stdin.write(JSON.stringify(order) + '\\n');
    say({ lease: 'a', pid, start, token: '${token}', ttl: ${ttlMs} });
    setInterval(() => say({ renew: ['a'], ttl: ${ttlMs} }), ${ttlMs} / 4);
    writeFileSync('guardian.pid', guardian.pid + '\\n');`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, stdio: 'ignore' });
  onTestFinished(() => void holder.kill('SIGKILL'));
  const guardian = await waitUntil('the guardian', () => readPid(path.join(folder, 'guardian.pid')));
  const pids = await waitUntil('the agent', () => {
    const found = processesOf(token);
    return found.length >= 2 && found;
  });
  return { holder, pids, guardian };
}

describe('when the worker', () => {
  it('is killed, its agents are gone at once, and then the guardian', async () => {
    const { holder, pids, guardian } = await startHolder(60_000);
    holder.kill('SIGKILL');
    await waitUntilGone([...pids, guardian]);
  });

  it('is stopped in its tracks, its agents are gone when their lease ends, and the guardian stays', async () => {
    const { holder, pids, guardian } = await startHolder(400);
    holder.kill('SIGSTOP');
    await waitUntilGone(pids);
    expect(isAlive(guardian)).toBe(true);
  });
});

describe('the guardian', () => {
  it('leads its own session, carries nothing of ours and is deaf to polite signals', async () => {
    const guardian = await startGuardian();
    const pid = guardian.pid!;
    expect(readProcess(pid)!.session).toBe(pid);
    const { agent, pids } = await startAgent(100);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid, signal);
    guardian.lease(agent);
    await waitUntilGone(pids);
    expect(isAlive(pid)).toBe(true);
  });

  it('kills an agent whose lease is not renewed, and says so', async () => {
    const killed: [string, number][] = [];
    const guardian = await startGuardian({ onKilled: (id, survivors) => killed.push([id, survivors]) });
    const { agent, pids } = await startAgent(150);
    guardian.lease(agent);
    await waitUntil('the word', () => killed.length > 0);
    expect(killed).toEqual([[agent.id, 0]]);
    expect(aliveOf(pids)).toEqual([]);
  });

  it('spares those that are renewed or dropped', async () => {
    const guardian = await startGuardian();
    const [renewed, dropped, doomed] = [await startAgent(150), await startAgent(150), await startAgent(300)];
    for (const { agent } of [renewed, dropped, doomed]) guardian.lease(agent);
    guardian.renew([renewed.agent.id, 'unknown'], 60_000);
    guardian.drop(dropped.agent.id);
    await waitUntilGone(doomed.pids);
    expect(aliveOf([...renewed.pids, ...dropped.pids])).toHaveLength(renewed.pids.length + dropped.pids.length);
  });

  it('kills an agent whose lease ends before that of one that it guarded already', async () => {
    const guardian = await startGuardian();
    const [long, short] = [await startAgent(60_000), await startAgent(150)];
    guardian.lease(long.agent);
    guardian.lease(short.agent);
    await waitUntilGone(short.pids);
    guardian.renew([long.agent.id], 150);
    await waitUntilGone(long.pids);
  });

  it('sleeps while it has nobody to guard', async () => {
    const guardian = await startGuardian();
    const wakeUps = (): number =>
      Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${guardian.pid}/status`, 'utf8'))?.[1]);
    // It is still about to begin when it says that it is ready.
    await systemClock.sleep(200);
    const before = wakeUps();
    await systemClock.sleep(1000);
    expect(wakeUps() - before).toBeLessThan(5);
  });

  it('kills what is still leased when it is stopped', async () => {
    const guardian = await startGuardian();
    const { agent, pids } = await startAgent(60_000);
    guardian.lease(agent);
    await guardian.stop();
    expect(aliveOf(pids)).toEqual([]);
    expect(guardian.pid).toBeUndefined();
  });

  it('that dies is missed; its successor guards the same agents', async () => {
    let deaths = 0;
    const guardian = await startGuardian({ onExit: () => deaths++ });
    const { agent, pids } = await startAgent(60_000);
    guardian.lease(agent);
    process.kill(guardian.pid!, 'SIGKILL');
    await waitUntil('the word', () => deaths === 1);
    expect(aliveOf(pids)).toEqual(pids);
    await guardian.start();
    guardian.renew([agent.id], 50);
    await waitUntilGone(pids);
    await guardian.stop();
    expect(deaths).toBe(1);
  });

  it('leaves a process alone that has only the number of the agent', async () => {
    const killed: string[] = [];
    const guardian = await startGuardian({ onKilled: (id) => killed.push(id) });
    const { agent, pids } = await startAgent(10);
    guardian.lease({ ...agent, startTime: String(Number(agent.startTime) - 1), token: 'another-token' });
    await waitUntil('the word', () => killed.length > 0);
    expect(aliveOf(pids)).toEqual(pids);
  });

  it('may be stopped before it started, and twice', async () => {
    const guardian = new Guardian();
    await guardian.stop();
    await guardian.start();
    await guardian.start();
    await guardian.stop();
    await guardian.stop();
  });
});
