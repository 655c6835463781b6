/**
 * Performs one attempt by a process: spawn → watch → stop → collect. Whatever happens on the way, no process of the
 * attempt is left when it returns, or those that are left have been reported.
 */
import { realpath } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Invocation, Outcome, StopReason } from './agent.ts';
import type { Limit } from './limit.ts';
import type { Limiter } from './limiter.ts';
import { createMembers, type Members } from './members.ts';
import { toEndedOutcome, toFailedStart, toStoppedOutcome } from './outcomes.ts';
import { MARKER } from './proc.ts';
import type { ProcessTable } from './process-table.ts';
import { createSigns } from './signs.ts';
import { type RunningProcess, spawnProcess } from './spawn.ts';
import { type StopTarget, stopTree, sweepLeftovers } from './stop.ts';
import { openTail, type Tail } from './tail.ts';
import { readValues } from './values.ts';
import { paceOf, type Verdict, watch } from './watch.ts';

/** The program that does an agent's work. */
export interface ProcessCommand {
  file: string;
  args: readonly string[];
  /** Fed to the program and closed. */
  stdin?: string;
}

/** What the agents of one worker share. */
export interface AgentTools {
  clock: Clock;
  table: ProcessTable;
  limiter: Limiter;
}

/** A person who cancels is waiting: everything is to be gone within 5 s, the kill and its proof included. */
const CANCEL_GRACE_MS = 3000;

/** Performs `command` as one attempt. @throws only by a bug; the processes are stopped before */
export async function performProcess(
  command: ProcessCommand,
  invocation: Invocation,
  tools: AgentTools,
): Promise<Outcome> {
  if (invocation.signal.aborted) return toStoppedOutcome(invocation.signal.reason as StopReason);
  const limit = await openLimit(invocation, tools);
  const spawned = await spawnProcess(
    {
      ...command,
      isolation: invocation.isolation,
      admit: (pid) => limit?.admit(pid),
      cwd: invocation.projectDir,
      env: { ...invocation.env, [MARKER]: invocation.token },
      logFile: invocation.logFile,
      pidFile: invocation.pidFile,
      report: invocation.report,
    },
    tools.clock,
  );
  try {
    if (!spawned.ok) return toFailedStart(spawned.error);
    return await new Attempt(spawned.value, limit, invocation, tools).perform();
  } finally {
    await limit?.close();
  }
}

async function openLimit({ limits, token, report }: Invocation, { limiter }: AgentTools): Promise<Limit | undefined> {
  if (limits === undefined) return undefined;
  return limiter.open(limits, token, (message) => report({ kind: 'warning', message }));
}

class Attempt {
  readonly #members: Members;
  #tail: Tail | undefined;

  constructor(
    private readonly running: RunningProcess,
    private readonly limit: Limit | undefined,
    private readonly invocation: Invocation,
    private readonly tools: AgentTools,
  ) {
    this.#members = createMembers(running.roots, tools.table);
  }

  async perform(): Promise<Outcome> {
    let verdict: Verdict | undefined;
    try {
      verdict = await this.#watch();
    } finally {
      await this.#stop(verdict);
      // What was written during the grace is still to be shown, and to be kept within the limit.
      await this.#tail?.finish().catch((error) => this.#warn(`cannot follow the log: ${errorMessage(error)}`));
      await this.running.release();
    }
    return this.#collect(verdict);
  }

  async #watch(): Promise<Verdict> {
    const { exited, logStart } = this.running;
    const { logFile, logLimitBytes, outputDir, outputFile, outputs, report } = this.invocation;
    const { clock } = this.tools;
    const [limit, members] = [this.limit, this.#members];
    this.#tail = await openTail({ logFile, start: logStart, limitBytes: logLimitBytes, report });
    const paths = [...new Set([outputDir, outputFile, ...outputs])];
    const signs = await createSigns({ paths, members, maxAgeMs: paceOf(this.invocation).signsMs / 2 });
    const excess = (): string | undefined => limit?.look((maxAgeMs) => members.look(maxAgeMs));
    return watch({ invocation: this.invocation, exited, tail: this.#tail, signs, clock, excess });
  }

  async #stop(verdict: Verdict | undefined): Promise<void> {
    const target = await this.#target(verdict);
    const { clock } = this.tools;
    const ended =
      verdict?.kind === 'exited'
        ? await sweepLeftovers(target, clock)
        : { found: [], ...(await stopTree(target, clock)) };
    this.#warnOf(ended.found, 'left running by the agent, and stopped');
    this.#warnOf(ended.survivors, 'could not be stopped');
    this.#warnOf(ended.suspects, 'may be left over: started meanwhile, without a trace of who did');
  }

  async #target(verdict: Verdict | undefined): Promise<StopTarget> {
    const { token, graceMs, logFile, projectDir } = this.invocation;
    const { pid, startTime, isNamespaced } = this.running;
    const known = this.#members.seen();
    const isCancelled = this.invocation.signal.reason === ('cancel' satisfies StopReason);
    const most = isCancelled ? CANCEL_GRACE_MS : Number.POSITIVE_INFINITY;
    // Memory goes on growing during a grace, and the kernel would give none.
    const grace = verdict?.kind === 'over' ? 0 : Math.min(graceMs, most);
    return {
      pid,
      startTime,
      token,
      isNamespaced,
      graceMs: grace,
      known,
      folder: await real(projectDir),
      logFile: await real(logFile),
    };
  }

  #warnOf(pids: readonly number[], what: string): void {
    if (pids.length > 0)
      this.#warn(`${pids.length === 1 ? '1 process' : `${pids.length} processes`} ${what}: ${pids.join(', ')}`);
  }

  async #collect(verdict: Verdict): Promise<Outcome> {
    if (verdict.kind === 'exited' && verdict.exit.code === 0) return this.#complete();
    const reason = verdict.kind === 'exited' ? await this.limit?.verdict() : undefined;
    if (reason !== undefined) return { kind: 'retryable', reason };
    return toEndedOutcome(verdict, this.invocation.zombieMs);
  }

  async #complete(): Promise<Outcome> {
    const { outputFile, projectDir, workspaceDir } = this.invocation;
    const read = await readValues(outputFile, [projectDir, workspaceDir]);
    if (!read.ok) return { kind: 'failed', reason: read.error, exitCode: 0 };
    for (const warning of read.value.warnings) this.#warn(warning);
    return { kind: 'completed', exitCode: 0, values: read.value.values };
  }

  #warn(message: string): void {
    this.invocation.report({ kind: 'warning', message });
  }
}

/** What /proc calls a file: its path without links. */
async function real(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}
