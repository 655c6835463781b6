import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAgents } from '../../src/agents/registry.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { makeAttempt, makeTask } from '../support/agent.ts';
import { isAlive, readPid, waitUntil } from '../support/processes.ts';

const agent = createAgents({ clock: systemClock }).get('command')!;

describe('a command', () => {
  it('runs in the project folder with its task in files and variables', async () => {
    const attempt = makeAttempt({ run: 'pwd; cat "$PLANQ_PROMPT"; echo; echo "$PLANQ_TASK_ID/$PLANQ_ATTEMPT"' });
    expect(await attempt.perform()).toEqual({ kind: 'completed', exitCode: 0, values: {} });
    expect(attempt.log()).toBe(`${attempt.invocation.projectDir}\nDesign it\ndesign/1\n`);
  });

  it('given as a list is no shell line', async () => {
    const attempt = makeAttempt({ run: ['printf', '%s|', '$HOME', '; touch canary', '`id`', '--', '-x'] });
    await attempt.perform();
    expect(attempt.log()).toBe('$HOME|; touch canary|`id`|--|-x|');
  });

  it.each([
    '"; touch canary; "',
    '$(touch canary)',
    '`touch canary`',
    "'; touch canary; '",
    '\n touch canary',
    '-e\\n',
  ])('is not changed by the hostile words %j', async (hostile) => {
    const words = { prompt: hostile, title: hostile, env: { VALUE: hostile }, matrix: { os: hostile } };
    const run = 'printf "%s|%s|" "$VALUE" "$MATRIX_OS"; cat "$PLANQ_PROMPT"';
    const attempt = makeAttempt({ run, ...words });
    await attempt.perform();
    expect(attempt.log()).toBe(`${hostile}|${hostile}|${hostile}`);
    expect(existsSync(path.join(attempt.invocation.projectDir, 'canary'))).toBe(false);
  });

  it('hands values on, and warns of lines that are none', async () => {
    const run = 'printf "url=http://x\\nnonsense\\ntext<<E\\n1\\n2\\nE\\n" > "$PLANQ_OUTPUT"';
    const attempt = makeAttempt({ run });
    const values = { url: 'http://x', text: '1\n2' };
    expect(await attempt.perform()).toEqual({ kind: 'completed', exitCode: 0, values });
    expect(attempt.warnings()).toEqual(['PLANQ_OUTPUT line 2: expected key=value']);
  });

  it('that says too much in PLANQ_OUTPUT has failed for good', async () => {
    const attempt = makeAttempt({ run: 'head -c 70000 /dev/zero > "$PLANQ_OUTPUT"' });
    expect(await attempt.perform()).toMatchObject({ kind: 'failed', reason: expect.stringContaining('70000 bytes') });
  });

  it.each([
    ['exit 3', { reason: 'Exit code 3', exitCode: 3 }],
    ['no-such-program-here', { reason: 'Exit code 127', exitCode: 127 }],
    ['kill -KILL $$', { reason: 'Killed by SIGKILL', exitCode: 137 }],
    ['kill -TERM $$', { reason: 'Killed by SIGTERM', exitCode: 143 }],
  ])('that ends by %j may be tried again', async (run, facts) => {
    expect(await makeAttempt({ run }).perform()).toEqual({ kind: 'retryable', ...facts });
  });

  it('whose program does not exist has failed for good', async () => {
    const reason = 'cannot start "no-such-program": no such program';
    const attempt = makeAttempt({ run: ['no-such-program'] }, { env: { PATH: '/usr/bin:/bin' } });
    expect(await attempt.perform()).toEqual({ kind: 'failed', reason });
  });

  it('that completed but left something running is cleaned up after', async () => {
    const child = `setsid sh -c 'trap "" TERM; echo $$ > left.pid; while :; do sleep 1; done'`;
    const attempt = makeAttempt({ run: `${child} & while [ ! -s left.pid ]; do sleep 0.01; done` }, { graceMs: 50 });
    const performed = attempt.perform();
    const left = await waitUntil('the child', () => readPid(path.join(attempt.invocation.projectDir, 'left.pid')));
    expect(await performed).toMatchObject({ kind: 'completed' });
    expect(isAlive(left)).toBe(false);
    expect(attempt.warnings()).toEqual([expect.stringMatching(/left running by the agent, and stopped: .*\d/)]);
  });

  it('that tidies up when told to stop is given the time', async () => {
    const run = 'trap "echo tidied; exit 0" TERM; echo ready; while :; do sleep 0.02; done';
    const attempt = makeAttempt({ run });
    const performed = attempt.perform();
    await waitUntil('the trap', () => existsSync(attempt.invocation.logFile) && attempt.log().includes('ready'));
    attempt.stop('shutdown');
    expect(await performed).toMatchObject({ kind: 'snoozed' });
    expect(attempt.log()).toMatch(/^ready\n.*tidied\n$/s);
  });

  it('that has ended before it could be stopped has completed', async () => {
    const attempt = makeAttempt({ run: 'true' });
    const performed = attempt.perform();
    await performed;
    attempt.stop('cancel');
    expect(await performed).toMatchObject({ kind: 'completed' });
  });

  it('cannot fill the disk with its log', async () => {
    const attempt = makeAttempt({ run: 'yes | head -c 3000000; echo the end' }, { logLimitBytes: 100_000 });
    await attempt.perform();
    expect(statSync(attempt.invocation.logFile).size).toBeLessThan(100_000);
    expect(attempt.log()).toMatch(/^y\n.*\[planq: \d+ bytes cut out here\]\n.*the end\n$/s);
  });

  it('does not fall over a log that cannot be written', async () => {
    const attempt = makeAttempt({ run: 'true' });
    mkdirSync(attempt.invocation.logFile, { recursive: true });
    expect(await attempt.perform()).toMatchObject({ kind: 'failed', reason: expect.stringContaining('EISDIR') });
  });

  it('is not started over a link that lies where its log should be', async () => {
    const attempt = makeAttempt({ run: 'echo overwritten' });
    const { logFile, projectDir } = attempt.invocation;
    const victim = path.join(projectDir, 'victim');
    writeFileSync(victim, 'precious');
    mkdirSync(path.dirname(logFile), { recursive: true });
    symlinkSync(victim, logFile);
    expect(await attempt.perform()).toMatchObject({ kind: 'failed' });
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });
});

describe('checking a command', () => {
  it.each([null, '', '  ', [], ['']])('finds nothing to run in %j', async (run) => {
    const [problem] = agent.validate(makeTask({ run }));
    expect(problem).toMatchObject({ code: 'agent-run-missing', severity: 'error', path: 'tasks.design.run', line: 3 });
    expect(await makeAttempt({ run }).perform()).toMatchObject({ kind: 'failed' });
  });

  it('warns of options, for it has none', () => {
    expect(agent.validate(makeTask({ run: 'true', with: { model: 'x' } }))).toEqual([
      {
        code: 'agent-option-unknown',
        severity: 'warning',
        path: 'tasks.design.with.model',
        message: 'the agent "command" has no option "model"',
        hint: 'it takes none',
        file: 'plan.yaml',
        line: 3,
        column: 5,
      },
    ]);
  });
});
