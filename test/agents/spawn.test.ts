import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentReport } from '../../src/agents/agent.ts';
import { readProcess } from '../../src/agents/proc.ts';
import { type SpawnOptions, spawnProcess } from '../../src/agents/spawn.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { makeAttempt } from '../support/agent.ts';

function optionsFor(parts: Partial<SpawnOptions>): SpawnOptions & { reports: AgentReport[] } {
  const { invocation, reports } = makeAttempt();
  const { projectDir: cwd, env, logFile, pidFile, report } = invocation;
  return { file: '/bin/sh', args: [], cwd, env, logFile, pidFile, report, reports, ...parts };
}

async function runShell(script: string, parts: Partial<SpawnOptions> = {}): Promise<{ log: string; exit: unknown }> {
  const options = optionsFor({ args: ['-c', script], ...parts });
  const spawned = await spawnProcess(options, systemClock);
  if (!spawned.ok) throw new Error(spawned.error.message);
  const exit = await spawned.value.exited;
  return { log: readFileSync(options.logFile, 'utf8'), exit };
}

describe('a process', () => {
  it('writes both outputs to the log, in order', async () => {
    const { log, exit } = await runShell('echo 1; echo 2 >&2; echo 3');
    expect(log).toBe('1\n2\n3\n');
    expect(exit).toEqual({ code: 0, signal: null });
  });

  it('reads an empty input, or what it is fed, to its end', async () => {
    expect((await runShell('cat; echo end')).log).toBe('end\n');
    expect((await runShell('cat; echo end', { stdin: 'fed ' })).log).toBe('fed end\n');
  });

  it('may end without reading what it is fed', async () => {
    expect((await runShell('exit 4', { stdin: 'x'.repeat(1_000_000) })).exit).toEqual({ code: 4, signal: null });
  });

  it('sees no variable but those it is given', async () => {
    const { log } = await runShell('env', { env: { ONLY: 'this' } });
    expect(log.split('\n')).toContain('ONLY=this');
    expect(log).not.toContain('HOME=');
  });

  it('is the first that the kernel takes when memory runs out', async () => {
    expect((await runShell('sleep 0.05; cat /proc/self/oom_score_adj')).log).toBe('900\n');
  });

  it('leads a session of its own, is reported at once and has a pid file until it is released', async () => {
    const options = optionsFor({ args: ['-c', 'sleep 1000'] });
    const spawned = await spawnProcess(options, systemClock);
    if (!spawned.ok) throw new Error(spawned.error.message);
    const { pid, startTime, release } = spawned.value;
    expect(options.reports).toEqual([{ kind: 'spawned', pid, startTime }]);
    expect(readProcess(pid)).toMatchObject({ session: pid, pgid: pid, startTime });
    expect(readFileSync(options.pidFile, 'utf8')).toBe(`${pid}\n`);
    expect(statSync(path.dirname(options.logFile)).mode & 0o777).toBe(0o700);
    process.kill(-pid, 'SIGKILL');
    expect(await spawned.value.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await release();
    expect(existsSync(options.pidFile)).toBe(false);
  });

  it('begins after what an earlier attempt has left in the log', async () => {
    const options = optionsFor({ args: ['-c', 'echo second'] });
    const first = await spawnProcess({ ...options, args: ['-c', 'echo first'] }, systemClock);
    if (first.ok) await first.value.exited;
    const second = await spawnProcess(options, systemClock);
    expect(second).toMatchObject({ ok: true, value: { logStart: 6 } });
    if (second.ok) await second.value.exited;
    expect(readFileSync(options.logFile, 'utf8')).toBe('first\nsecond\n');
  });
});

describe('what cannot be started', () => {
  it.each([
    [
      'ENOENT',
      { file: 'no-such-program', env: { PATH: '/usr/bin:/bin' } },
      'cannot start "no-such-program": no such program',
    ],
    ['ENOENT', { cwd: '/no/such/folder' }, 'cannot start "/bin/sh": the folder /no/such/folder does not exist'],
    ['ERR_INVALID_ARG_VALUE', { args: ['a\0b'] }, expect.stringContaining('null bytes')],
    ['E2BIG', { args: ['x'.repeat(3_000_000)] }, expect.stringContaining('E2BIG')],
  ])('is a value with the code %s', async (code, parts, message) => {
    const options = optionsFor(parts);
    expect(await spawnProcess(options, systemClock)).toEqual({ ok: false, error: { code, message } });
    expect(options.reports).toEqual([]);
    expect(existsSync(options.pidFile)).toBe(false);
  });

  it('is a value when it is not executable', async () => {
    const options = optionsFor({});
    const file = path.join(options.cwd, 'plain.txt');
    writeFileSync(file, 'no program');
    chmodSync(file, 0o644);
    const message = `cannot start ${JSON.stringify(file)}: permission denied`;
    expect(await spawnProcess({ ...options, file }, systemClock)).toEqual({
      ok: false,
      error: { code: 'EACCES', message },
    });
  });
});
