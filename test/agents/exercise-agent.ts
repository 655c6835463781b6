/**
 * The suite that every kind of agent must pass.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Invocation } from '../../src/agents/agent.ts';
import type { Isolation } from '../../src/agents/namespace.ts';
import { createAgents } from '../../src/agents/registry.ts';
import type { Task } from '../../src/plan/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { makeAttempt, type TestAttempt } from '../support/agent.ts';
import { waitUntil } from '../support/processes.ts';

/** Tasks that bring an agent of one kind into each situation; without a process there is nothing to stop. */
export interface AgentSample {
  kind: string;
  succeeds: Partial<Task>;
  fails?: Partial<Task>;
  lastsForEver?: Partial<Task>;
}

/** The suite for every kind of agent, wherever its processes live. */
export function exerciseAgent({ kind, succeeds, fails, lastsForEver }: AgentSample, isolation: Isolation): void {
  const attemptAt = (task: Partial<Task>, parts?: Partial<Invocation>): TestAttempt =>
    makeAttempt({ agent: kind, ...task }, { isolation, ...parts });

  describe(`the agent "${kind}", isolation ${isolation},`, () => {
    it('completes and leaves neither a process nor a pid file', async () => {
      const attempt = attemptAt(succeeds);
      expect(await attempt.perform()).toMatchObject({ kind: 'completed' });
      expect(attempt.processes()).toEqual([]);
      expect(existsSync(attempt.invocation.pidFile)).toBe(false);
      expect(attempt.warnings()).toEqual([]);
    });

    it('accepts the task it completes', () => {
      const attempt = attemptAt(succeeds);
      const agent = createAgents({ clock: systemClock }).get(kind);
      expect(agent?.kind).toBe(kind);
      expect(agent?.validate(attempt.invocation.task)).toEqual([]);
    });

    it('starts nothing when it is cancelled before', async () => {
      const attempt = attemptAt(succeeds);
      attempt.stop('cancel');
      expect(await attempt.perform()).toEqual({ kind: 'cancelled', reason: 'cancelled' });
      expect(attempt.reports).toEqual([]);
    });

    if (fails === undefined || lastsForEver === undefined) return;

    it('may be tried again when it fails, with the exit code told', async () => {
      const attempt = attemptAt(fails);
      expect(await attempt.perform()).toMatchObject({ kind: 'retryable', exitCode: expect.any(Number) });
      expect(attempt.processes()).toEqual([]);
    });

    it('reports its process first and keeps the log to its owner', async () => {
      const attempt = attemptAt(lastsForEver);
      const performed = attempt.perform();
      const pid = await waitUntil('the pid file', () => readPidFile(attempt.invocation.pidFile));
      expect(attempt.reports[0]).toMatchObject({ kind: 'spawned', pid, startTime: expect.stringMatching(/^\d+$/) });
      expect(statSync(attempt.invocation.logFile).mode & 0o777).toBe(0o600);
      attempt.stop('cancel');
      await performed;
    });

    it.each([
      ['cancel', { kind: 'cancelled', reason: 'cancelled' }],
      ['shutdown', { kind: 'snoozed', reason: 'worker is stopping', delayMs: 0 }],
      ['lost', { kind: 'snoozed', reason: 'lease lost', delayMs: 0 }],
    ] as const)('leaves nothing behind when stopped by %s', async (reason, outcome) => {
      const attempt = attemptAt(lastsForEver, { graceMs: 100 });
      const performed = attempt.perform();
      await waitUntil('a process', () => attempt.processes().length > 0);
      attempt.stop(reason);
      expect(await performed).toEqual(outcome);
      expect(attempt.processes()).toEqual([]);
    });

    it('is stopped at its timeout', async () => {
      const attempt = attemptAt(lastsForEver, { timeoutMs: 200, graceMs: 100 });
      expect(await attempt.perform()).toEqual({ kind: 'retryable', reason: 'Timeout' });
      expect(attempt.processes()).toEqual([]);
      expect(attempt.warnings()).toContain('80 % of the timeout of 200 ms is used');
    });
  });
}

function readPidFile(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}
