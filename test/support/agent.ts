/**
 * For tests of agents and of those who use them: attempts in a folder of their own, and an agent that the test steers.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Agent, AgentReport, Invocation, Outcome, StopReason } from '../../src/agents/agent.ts';
import { buildEnvironment } from '../../src/agents/environment.ts';
import { toStoppedOutcome } from '../../src/agents/outcomes.ts';
import { createAgents } from '../../src/agents/registry.ts';
import type { Task } from '../../src/plan/plan.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomId } from '../../src/runtime/random.ts';
import { processesOf, waitUntil } from './processes.ts';

/** A valid task that does nothing in particular. */
export function makeTask(parts: Partial<Task> = {}): Task {
  return {
    id: 'design',
    title: 'Design',
    prompt: 'Design it',
    master: 'development',
    phase: 'planning',
    needs: [],
    agent: null,
    run: null,
    with: {},
    env: {},
    inputs: [],
    outputs: [],
    check: null,
    takes: {},
    cpus: null,
    memoryBytes: null,
    priority: 'medium',
    estimate: null,
    timeoutMs: null,
    attempts: 3,
    continueOnError: false,
    matrix: {},
    source: { file: 'plan.yaml', line: 3, column: 5 },
    ...parts,
  };
}

export interface TestAttempt {
  invocation: Invocation;
  /** All reports so far. */
  reports: AgentReport[];
  warnings(): string[];
  stop(reason: StopReason): void;
  log(): string;
  /** Living processes of this attempt, by the marker. */
  processes(): number[];
  /** Performs it by the agent that the task names. */
  perform(): Promise<Outcome>;
}

/** An attempt in a fresh project folder, removed with all its processes when the test ends. */
export function makeAttempt(task: Partial<Task> = {}, parts: Partial<Invocation> = {}): TestAttempt {
  const projectDir = mkdtempSync(path.join(tmpdir(), 'planq-agent-'));
  const controller = new AbortController();
  const reports: AgentReport[] = [];
  const invocation = makeInvocation(projectDir, makeTask(task), parts, controller.signal, reports);
  const processes = (): number[] => processesOf(invocation.token);
  onTestFinished(() => {
    for (const pid of processes()) process.kill(pid, 'SIGKILL');
    rmSync(projectDir, { recursive: true, force: true });
  });
  return {
    invocation,
    reports,
    warnings: () => reports.flatMap((report) => (report.kind === 'warning' ? [report.message] : [])),
    stop: (reason) => controller.abort(reason),
    log: () => readFileSync(invocation.logFile, 'utf8'),
    processes,
    perform: () => {
      const agent = createAgents({ clock: systemClock }).get(invocation.task.agent ?? 'command');
      return agent!.perform(invocation);
    },
  };
}

function makeInvocation(
  projectDir: string,
  task: Task,
  parts: Partial<Invocation>,
  signal: AbortSignal,
  reports: AgentReport[],
): Invocation {
  const workspaceDir = path.join(projectDir, 'workspace');
  const outputDir = path.join(workspaceDir, 'outputs', task.id);
  mkdirSync(outputDir, { recursive: true });
  const words = {
    runId: 'run-1',
    task,
    attempt: parts.attempt ?? 1,
    token: randomId(24),
    outputDir,
    workspaceDir,
    handoffFile: path.join(projectDir, 'handoff.json'),
    promptFile: path.join(projectDir, 'prompt.txt'),
    outputFile: path.join(projectDir, 'values.txt'),
  };
  writeFileSync(words.handoffFile, JSON.stringify({ task: task.id }));
  writeFileSync(words.promptFile, task.prompt);
  const env = { ...buildEnvironment({ ...words, workerEnv: process.env }), ...parts.env };
  return {
    ...words,
    projectDir,
    logFile: path.join(workspaceDir, 'logs', `${task.id}.log`),
    pidFile: path.join(workspaceDir, 'pids', `${task.id}.pid`),
    outputs: [],
    get stopReason() {
      return signal.reason as Invocation['stopReason'];
    },
    timeoutMs: 60_000,
    zombieMs: 60_000,
    graceMs: 2000,
    logLimitBytes: 100_000_000,
    signal,
    report: (report) => reports.push(report),
    ...parts,
    env,
  };
}

/** An attempt that waits for the test's word. */
export interface SteeredInvocation {
  invocation: Invocation;
  complete(values?: Record<string, string>): void;
  fail(reason: string): void;
  end(outcome: Outcome): void;
}

export interface SteeredAgent {
  agent: Agent;
  /** The next attempt that was begun and not yet asked for. */
  nextInvocation(timeoutMs?: number): Promise<SteeredInvocation>;
}

/** An agent without a process. Each attempt lasts until the test ends it, or its signal aborts. */
export function createSteeredAgent(kind = 'steered'): SteeredAgent {
  const begun: SteeredInvocation[] = [];
  const perform = (invocation: Invocation): Promise<Outcome> =>
    new Promise((end) => {
      const stop = (): void => end(toStoppedOutcome(invocation.signal.reason as StopReason));
      if (invocation.signal.aborted) return stop();
      invocation.signal.addEventListener('abort', stop, { once: true });
      const complete = (values = {}): void => end({ kind: 'completed', values });
      begun.push({ invocation, end, complete, fail: (reason) => end({ kind: 'retryable', reason }) });
    });
  return {
    agent: { kind, validate: () => [], perform },
    nextInvocation: (timeoutMs) => waitUntil(`an attempt by ${kind}`, () => begun.shift(), timeoutMs),
  };
}
