/**
 * Starts one process of an attempt: its own session, no terminal, output straight into the log. The file descriptor is
 * the agent's own, so nothing is copied through the worker, a slow reader blocks nobody, and the output outlives us.
 * Must be called from the main thread: a process group started from a worker thread can die with that thread.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, existsSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import { makePrivateFolder, PRIVATE_FILE, writeFileAtomic } from '../runtime/files.ts';
import { err, ok, type Result } from '../runtime/result.ts';
import type { AgentReport } from './agent.ts';
import { findProgram } from './find-program.ts';
import { type Isolation, type Namespace, openNamespace } from './namespace.ts';
import { childrenOf, MARKER, type ProcessIdentity, startTimeOf } from './proc.ts';
import { WORKER_WORDS } from './worker-mark.ts';

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
  /** A PID namespace of its own, or none (default). */
  isolation?: Isolation | undefined;
  /** Called once for each process with which the attempt begins, before the agent has done anything to speak of. */
  admit?(pid: number): void;
  /** Told `spawned` at once, before anything else is done, so that the guardian knows the process. */
  report(report: AgentReport): void;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Known by its outermost process: the agent's own, or with a namespace the one that holds it. */
export interface RunningProcess extends ProcessIdentity {
  /** Whoever the attempt began with descends from one of these. */
  roots: number[];
  isNamespaced: boolean;
  exited: Promise<Exit>;
  /** Size of the log before this process wrote to it, in bytes. */
  logStart: number;
  /** Removes the pid file and closes the namespace; to be called when every process of the attempt is gone. */
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

/** Agents give way to the worker, and to people. */
const NICENESS = 5;

/** How long a namespace's agent is waited for, and between two looks; milliseconds are usual. */
const INSIDE_MS = 5000;
const LOOK_MS = 2;

/** Starts a process. What the system refuses comes back as a value, with the system's code. */
export async function spawnProcess(options: SpawnOptions, clock: Clock): Promise<Result<RunningProcess, SpawnFailure>> {
  let log: FileHandle | undefined;
  let namespace: Namespace | undefined;
  try {
    await makePrivateFolder(path.dirname(options.logFile));
    log = await open(options.logFile, APPEND, PRIVATE_FILE);
    const { size } = await log.stat();
    namespace = await openRoom(options);
    const child = await startChild(options, namespace, log.fd);
    return ok(await toRunning({ child, namespace, logStart: size }, options, clock));
  } catch (error) {
    await namespace?.close();
    return err(toFailure(error, options));
  } finally {
    await log?.close();
  }
}

type StartedChild = ChildProcess & { pid: number };

/** Inside, a program that cannot be started would be seen as an exit code, so it is looked for before. */
async function openRoom({ isolation = 'none', file, env, cwd }: SpawnOptions): Promise<Namespace | undefined> {
  if (isolation === 'none') return undefined;
  const found = existsSync(cwd) ? findProgram(file, env.PATH, cwd) : err('ENOENT');
  if (!found.ok) throw systemError(found.error, `spawn ${file} ${found.error}`, 'spawn');
  const opened = await openNamespace(isolation, pick(env, [MARKER, ...WORKER_WORDS]));
  if (opened.ok) return opened.value;
  throw systemError('EAGAIN', `cannot make a PID namespace: ${opened.error}`, 'unshare');
}

function startChild(options: SpawnOptions, namespace: Namespace | undefined, log: number): Promise<StartedChild> {
  return new Promise((resolve, reject) => {
    const { file, args } = namespace?.enter(options.file, options.args, options.cwd) ?? options;
    const child = spawn(file, [...args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', log, log],
    });
    child.on('error', reject);
    if (isStarted(child)) {
      options.report({ kind: 'spawned', ...outermost(child, namespace) });
      resolve(child);
    }
  });
}

function isStarted(child: ChildProcess): child is StartedChild {
  return child.pid !== undefined;
}

function outermost(child: StartedChild, namespace: Namespace | undefined): ProcessIdentity {
  return namespace?.holder ?? { pid: child.pid, startTime: startTimeOf(child.pid) ?? '' };
}

interface Started {
  child: StartedChild;
  namespace: Namespace | undefined;
  logStart: number;
}

async function toRunning(
  { child, namespace, logStart }: Started,
  options: SpawnOptions,
  clock: Clock,
): Promise<RunningProcess> {
  const identity = outermost(child, namespace);
  const roots = [...new Set([identity.pid, child.pid])];
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const humbleAll = (): void => {
    for (const pid of roots) forTree(pid, (member) => humble(member, options));
  };
  humbleAll();
  feed(child, options.stdin);
  await writePid(identity.pid, options);
  if (namespace !== undefined) await untilInside(child, clock);
  // A process that was being made just then had copied what was before, and was not among the children yet.
  humbleAll();
  const release = async (): Promise<void> => {
    await namespace?.close();
    await rm(options.pidFile, { force: true });
  };
  return { ...identity, roots, isNamespaced: namespace !== undefined, exited, logStart, release };
}

/** What enters a namespace makes the agent as its child, perhaps just now. A busy machine may take long over it. */
async function untilInside(child: StartedChild, clock: Clock): Promise<void> {
  const end = clock.monotonic() + INSIDE_MS;
  const isThere = (): boolean => childrenOf(child.pid).length > 0;
  while (child.exitCode === null && child.signalCode === null && !isThere() && clock.monotonic() < end)
    await clock.sleep(LOOK_MS);
}

/** What is done to a process before its children are asked for is inherited by all that it starts later. */
function forTree(pid: number, act: (pid: number) => void): void {
  const done = new Set<number>();
  const open = [pid];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (done.has(next)) continue;
    done.add(next);
    act(next);
    open.push(...childrenOf(next));
  }
}

/** Puts a process under the attempt's limits and behind everybody else, as far as the system lets us. */
function humble(pid: number, options: SpawnOptions): void {
  const acts = [
    () => writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE),
    () => os.setPriority(pid, NICENESS),
    () => options.admit?.(pid),
  ];
  for (const act of acts) {
    try {
      act();
    } catch {
      // Not Linux, or the process has ended already: the attempt works without it.
    }
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

function systemError(code: string, message: string, syscall: string): Error {
  return Object.assign(new Error(message), { code, syscall });
}

function pick(env: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

function factOf(error: unknown, name: 'code' | 'syscall'): string | undefined {
  return error instanceof Error && name in error ? String(Reflect.get(error, name)) : undefined;
}

function explain(code: string, cwd: string): string | undefined {
  if (code === 'ENOENT') return existsSync(cwd) ? 'no such program' : `the folder ${cwd} does not exist`;
  if (code === 'EACCES') return 'permission denied';
  return undefined;
}
