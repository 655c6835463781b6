/**
 * Starts one process of an attempt: its own session, no terminal, output straight into the log. The file descriptor is
 * the agent's own, so nothing is copied through the worker, a slow reader blocks nobody, and the output outlives us.
 * Must be called from the main thread: a process group started from a worker thread can die with that thread.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, existsSync, writeFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage } from '../runtime/errors.ts';
import { writeFileAtomic } from '../runtime/files.ts';
import { err, ok, type Result } from '../runtime/result.ts';
import type { AgentReport } from './agent.ts';
import { type ProcessIdentity, startTimeOf } from './proc.ts';

export interface SpawnOptions {
  /** Program: a path, or a name that is looked up in `env.PATH`. */
  file: string;
  args: readonly string[];
  cwd: string;
  /** The complete environment. */
  env: Record<string, string>;
  /** Appended to; made with mode 0600, its folder with 0700. */
  logFile: string;
  /** Holds the process number while the attempt runs. */
  pidFile: string;
  /** Written to the process and closed; without it the process reads an empty input. */
  stdin?: string;
  /** Told `spawned` at once, before anything else is done, so that the guardian knows the process. */
  report(report: AgentReport): void;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningProcess extends ProcessIdentity {
  exited: Promise<Exit>;
  /** Size of the log before this process wrote to it, in bytes. */
  logStart: number;
  /** Removes the pid file; to be called when every process of the attempt is gone. */
  release(): Promise<void>;
}

export interface SpawnFailure {
  /** `ENOENT`, `EACCES`, `EAGAIN`, … */
  code: string;
  /** "cannot start …: …" */
  message: string;
}

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** The kernel takes the agent before the worker when memory runs out (0 is normal, 1000 first of all). */
const OOM_SCORE = '900';

/** Starts a process. What the system refuses comes back as a value, with the system's code. */
export async function spawnProcess(options: SpawnOptions): Promise<Result<RunningProcess, SpawnFailure>> {
  let log: FileHandle | undefined;
  try {
    await mkdir(path.dirname(options.logFile), { recursive: true, mode: 0o700 });
    log = await open(options.logFile, APPEND, 0o600);
    const { size } = await log.stat();
    const child = await startChild(options, log.fd);
    return ok(await toRunning(child, options, size));
  } catch (error) {
    return err(toFailure(error, options));
  } finally {
    await log?.close();
  }
}

type StartedChild = ChildProcess & { pid: number };

function startChild(options: SpawnOptions, log: number): Promise<StartedChild> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.file, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', log, log],
    });
    child.on('error', reject);
    if (isStarted(child)) {
      options.report({ kind: 'spawned', pid: child.pid, startTime: startTimeOf(child.pid) ?? '' });
      resolve(child);
    }
  });
}

function isStarted(child: ChildProcess): child is StartedChild {
  return child.pid !== undefined;
}

async function toRunning(child: StartedChild, options: SpawnOptions, logStart: number): Promise<RunningProcess> {
  const startTime = startTimeOf(child.pid) ?? '';
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  raiseOomScore(child.pid);
  feed(child, options.stdin);
  await writePid(child.pid, options);
  return { pid: child.pid, startTime, exited, logStart, release: () => rm(options.pidFile, { force: true }) };
}

function raiseOomScore(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch {
    // Not Linux, or the process has ended already: the attempt works without it.
  }
}

function feed(child: ChildProcess, text: string | undefined): void {
  // An agent may end without having read everything; that is its own affair.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(text);
}

async function writePid(pid: number, options: SpawnOptions): Promise<void> {
  try {
    await writeFileAtomic(options.pidFile, `${pid}\n`);
  } catch (error) {
    options.report({ kind: 'warning', message: `cannot write ${options.pidFile}: ${errorMessage(error)}` });
  }
}

function toFailure(error: unknown, options: SpawnOptions): SpawnFailure {
  const code = factOf(error, 'code') ?? 'UNKNOWN';
  const isSpawn = factOf(error, 'syscall')?.startsWith('spawn') ?? false;
  const cause = isSpawn ? explain(code, options.cwd) : undefined;
  return { code, message: `cannot start ${JSON.stringify(options.file)}: ${cause ?? errorMessage(error)}` };
}

function factOf(error: unknown, name: 'code' | 'syscall'): string | undefined {
  return error instanceof Error && name in error ? String(Reflect.get(error, name)) : undefined;
}

function explain(code: string, cwd: string): string | undefined {
  if (code === 'ENOENT') return existsSync(cwd) ? 'no such program' : `the folder ${cwd} does not exist`;
  if (code === 'EACCES') return 'permission denied';
  return undefined;
}
