/**
 * What an agent is given of an attempt. Everything is made when it is asked for: an agent without a process needs little.
 */
import type { AgentReport, Invocation, StopReason } from '../agents/agent.ts';
import { buildEnvironment } from '../agents/environment.ts';
import type { ResourceLimits } from '../agents/limit.ts';
import { LOG_LIMIT_BYTES } from '../agents/log-cap.ts';
import type { Isolation } from '../agents/namespace.ts';
import type { Task } from '../plan/plan.ts';
import { phaseTimeoutMs } from '../plan/timeouts.ts';
import { candidatePaths } from '../producer/workspace.ts';
import type { Attempt } from './attempt-state.ts';
import type { WorkerContext } from './context.ts';
import type { Reporter } from './reporter.ts';

export class AttemptInvocation implements Invocation {
  readonly logLimitBytes = LOG_LIMIT_BYTES;
  readonly #worker: WorkerContext;
  readonly #attempt: Attempt;
  readonly #reporter: Reporter;

  /** @param task the attempt's own, or the one that its check is made to */
  constructor(
    worker: WorkerContext,
    attempt: Attempt,
    readonly task: Task,
    reporter: Reporter,
  ) {
    this.#worker = worker;
    this.#attempt = attempt;
    this.#reporter = reporter;
  }

  /** May be handed on by itself. */
  readonly report = (report: AgentReport): void => this.#reporter.report(report);

  get runId(): string {
    return this.#attempt.held.run;
  }

  get attempt(): number {
    return this.#attempt.number;
  }

  get token(): string {
    return this.#attempt.held.token;
  }

  get signal(): AbortSignal {
    return this.#attempt.held.stop.signal;
  }

  get stopReason(): StopReason | undefined {
    return this.#attempt.held.stop.reason;
  }

  get projectDir(): string {
    return this.#attempt.context.projectDir;
  }

  get outputDir(): string {
    return this.#attempt.paths.outputDir;
  }

  get workspaceDir(): string {
    return this.#attempt.paths.workspaceDir;
  }

  get logFile(): string {
    return this.#attempt.paths.logFile;
  }

  get pidFile(): string {
    return this.#attempt.paths.pidFile;
  }

  get handoffFile(): string {
    return this.#attempt.paths.handoffFile;
  }

  get promptFile(): string {
    return this.#attempt.paths.promptFile;
  }

  get outputFile(): string {
    return this.#attempt.paths.outputFile;
  }

  get outputs(): string[] {
    return this.task.outputs
      .filter((file) => !file.glob)
      .map((file) => `${candidatePaths(this.#attempt.paths, file)[0] ?? ''}${file.directory ? '/' : ''}`);
  }

  get env(): Record<string, string> {
    return buildEnvironment({
      runId: this.runId,
      task: this.task,
      attempt: this.attempt,
      token: this.token,
      outputDir: this.outputDir,
      workspaceDir: this.workspaceDir,
      handoffFile: this.handoffFile,
      promptFile: this.promptFile,
      outputFile: this.outputFile,
      workerEnv: this.#worker.env,
      passEnv: this.#worker.config.passEnv,
      secrets: this.#attempt.secrets ?? {},
      worker: this.#worker.mark,
    });
  }

  get timeoutMs(): number {
    return this.task.timeoutMs ?? phaseTimeoutMs(this.task.phase);
  }

  get zombieMs(): number {
    return this.#worker.config.times.zombieMs;
  }

  get graceMs(): number {
    return this.#worker.config.times.graceMs;
  }

  get isolation(): Isolation {
    return this.#worker.isolation;
  }

  get limits(): ResourceLimits {
    const { cpusPerAgent, memoryPerAgent } = this.#worker.config.limits;
    return { cpus: this.task.cpus ?? cpusPerAgent, memoryBytes: this.task.memoryBytes ?? memoryPerAgent };
  }
}
