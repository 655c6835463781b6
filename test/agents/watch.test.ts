import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentReport, Invocation } from '../../src/agents/agent.ts';
import { fingerprint } from '../../src/agents/folder-print.ts';
import type { Exit } from '../../src/agents/spawn.ts';
import { paceOf, type Verdict, watch } from '../../src/agents/watch.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { makeAttempt, type TestAttempt } from '../support/agent.ts';
import { waitUntil } from '../support/processes.ts';

const QUIET = { zombieMs: 400, graceMs: 100 };

/** Lives well beyond the limit while it gives this sign of life. */
function attemptWith(sign: string): TestAttempt {
  const run = `i=0; while [ $i -lt 60 ]; do i=$((i+1)); ${sign}; done`;
  return makeAttempt({ run }, { zombieMs: 800, graceMs: 100 });
}

describe('an agent that shows nothing', () => {
  it('is warned of at half the time, then stopped and tried again', async () => {
    const attempt = makeAttempt({ agent: 'fake', with: { hang: true } }, QUIET);
    expect(await attempt.perform()).toEqual({ kind: 'retryable', reason: 'No progress for 400 ms' });
    expect(attempt.warnings()).toEqual([expect.stringMatching(/^no progress for \d+ ms; stopped after 400 ms$/)]);
    expect(attempt.processes()).toEqual([]);
  });

  it('is stopped with all that ignores TERM', async () => {
    const fake = { hang: true, 'ignore-term': true, grandchildren: 2 };
    const attempt = makeAttempt({ agent: 'fake', with: fake }, QUIET);
    const performed = attempt.perform();
    await waitUntil('the grandchildren', () => attempt.processes().length >= 3);
    expect(await performed).toMatchObject({ kind: 'retryable' });
    expect(attempt.processes()).toEqual([]);
  });
});

it('an agent lives while it prints, computes or reads', async () => {
  const signs = {
    prints: 'echo .; sleep 0.02',
    'uses the processor': 'j=0; while [ $j -lt 9000 ]; do j=$((j+1)); done',
    reads: 'read -r line < large; sleep 0.02',
  };
  const outcomes = Object.entries(signs).map(async ([name, sign]) => {
    const attempt = attemptWith(sign);
    writeFileSync(path.join(attempt.invocation.projectDir, 'large'), 'x'.repeat(500));
    return [name, (await attempt.perform()).kind];
  });
  const expected = Object.keys(signs).map((name) => [name, 'completed']);
  expect(await Promise.all(outcomes)).toEqual(expected);
});

it('a declared output that grows outside the output folder is a sign of life', async () => {
  const attempt = makeAttempt({ agent: 'fake', with: { hang: true } }, QUIET);
  const output = path.join(attempt.invocation.projectDir, 'docs.md');
  attempt.invocation.outputs.push(output);
  const writing = setInterval(() => appendFileSync(output, 'more\n'), 30);
  const performed = attempt.perform();
  await waitUntil('twice the time', () => attempt.reports.length > 0);
  let ended = false;
  performed.then(() => {
    ended = true;
  });
  const begin = performance.now();
  await waitUntil('more than the limit', () => performance.now() - begin > 700);
  expect(ended).toBe(false);
  clearInterval(writing);
  expect(await performed).toEqual({ kind: 'retryable', reason: 'No progress for 400 ms' });
});

interface Script {
  /** Milliseconds at which the log grows, and at which something else shows life. */
  log?: number[];
  signs?: number[];
  limits?: Partial<Pick<Invocation, 'timeoutMs' | 'zombieMs'>>;
  exitAt?: number;
  stopAt?: number;
}

/** Watches by a clock that jumps; gives the verdict, when it came, and the warnings. */
async function play(script: Script): Promise<{ verdict: Verdict; at: number; warnings: string[] }> {
  let now = 0;
  let seen = -1;
  const controller = new AbortController();
  const exited = new ExitLater();
  const happened = (times: number[] = []): boolean => times.some((time) => time > seen && time <= now);
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      seen = now;
      now += ms;
      if (script.stopAt !== undefined && now >= script.stopAt) controller.abort('cancel');
      if (script.exitAt !== undefined && now >= script.exitAt) exited.end({ code: 0, signal: null });
    },
  };
  const warnings: string[] = [];
  const report = (entry: AgentReport): void =>
    void (entry.kind === 'warning' && warnings.push(`${now}: ${entry.message}`));
  const limits = { timeoutMs: 100_000, zombieMs: 10_000, ...script.limits };
  const verdict = await watch({
    invocation: { ...limits, signal: controller.signal, report },
    exited: exited.promise,
    tail: { poll: async () => happened(script.log) },
    signs: { look: async () => (script.signs ?? []).some((time) => time > now - 500 && time <= now) },
    clock,
  });
  return { verdict, at: now, warnings };
}

class ExitLater {
  end: (exit: Exit) => void = () => undefined;
  readonly promise = new Promise<Exit>((resolve) => {
    this.end = resolve;
  });
}

describe('the watch', () => {
  it('gives a silent agent its time, with a warning at half', async () => {
    expect(await play({})).toEqual({
      verdict: { kind: 'zombie' },
      at: 10_000,
      warnings: ['5000: no progress for 5.0 s; stopped after 10.0 s'],
    });
  });

  it('begins to count anew with each line of the log, and warns anew', async () => {
    const { verdict, at, warnings } = await play({ log: [6000, 12_000] });
    expect([verdict.kind, at]).toEqual(['zombie', 22_000]);
    expect(warnings.map((warning) => warning.split(':')[0])).toEqual(['5000', '11000', '17000']);
  });

  it('begins to count anew with each other sign of life', async () => {
    expect(await play({ signs: [9000] })).toMatchObject({ verdict: { kind: 'zombie' }, at: 19_000 });
  });

  it('ends a lively agent at its timeout, with a warning at four fifths', async () => {
    const log = Array.from({ length: 100 }, (_, index) => index * 500);
    expect(await play({ log, limits: { timeoutMs: 20_000 } })).toEqual({
      verdict: { kind: 'timeout' },
      at: 20_000,
      warnings: ['16000: 80 % of the timeout of 20.0 s is used'],
    });
  });

  it('sees the end, a stop, and of both the end', async () => {
    const exit = { code: 0, signal: null };
    expect(await play({ exitAt: 3000 })).toMatchObject({ verdict: { kind: 'exited', exit }, at: 3000 });
    expect(await play({ stopAt: 3000 })).toMatchObject({ verdict: { kind: 'stopped', reason: 'cancel' }, at: 3000 });
    expect(await play({ stopAt: 3000, exitAt: 3000 })).toMatchObject({ verdict: { kind: 'exited' } });
  });
});

describe('the pace', () => {
  it('follows the nearer limit, within bounds', () => {
    expect(paceOf({ timeoutMs: 3_600_000, zombieMs: 1_200_000 })).toEqual({ tickMs: 250, signsMs: 2000 });
    expect(paceOf({ timeoutMs: 10_000, zombieMs: 1_200_000 })).toEqual({ tickMs: 250, signsMs: 500 });
    expect(paceOf({ timeoutMs: 100, zombieMs: 1_200_000 })).toEqual({ tickMs: 20, signsMs: 20 });
  });
});

describe('the fingerprint of a folder', () => {
  it('changes when a file appears, grows or goes deep below, and not otherwise', async () => {
    const { outputDir } = makeAttempt().invocation;
    const prints = new Set<string>();
    const look = async (): Promise<number> => prints.add(await fingerprint([outputDir, '/no/such/file'])).size;
    expect(await look()).toBe(1);
    mkdirSync(path.join(outputDir, 'a/b'), { recursive: true });
    expect(await look()).toBe(2);
    writeFileSync(path.join(outputDir, 'a/b/file'), '1');
    expect(await look()).toBe(3);
    appendFileSync(path.join(outputDir, 'a/b/file'), '2');
    expect(await look()).toBe(4);
    expect(await look()).toBe(4);
  });
});
