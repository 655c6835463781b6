/**
 * A PID namespace for one attempt, made with the system's own tools: whatever the agent starts lives in it and dies with
 * it, and from inside nobody outside can be seen or signalled.
 *
 *   worker ─┬─ holder: setpriv --pdeathsig KILL unshare … ──── first process inside: waits for the worker's end, reaps
 *           └─ entry: nsenter … setsid <agent> ─────────────── the agent, leader of its own session
 *
 * The agent is not the first process inside: that one is deaf to every signal without a handler, so `kill` of itself, TERM
 * and an ordinary death by a signal would not work. The entry is the worker's child and ends as the agent ends, by the
 * same exit code or signal. The namespace ends with the holder, which ends when it is killed, when the worker dies
 * (`setpriv`), or when the pipe to the worker closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { err, ok, type Result } from '../runtime/result.ts';
import { findProgram } from './find-program.ts';
import { isAlive, type ProcessIdentity, startTimeOf } from './proc.ts';

/** `user-namespace` is for those who may not make a PID namespace directly: the agent keeps its user all the same. */
export type Isolation = 'none' | 'namespace' | 'user-namespace';

export interface Namespace {
  holder: ProcessIdentity;
  /** What to run, outside, so that `file` runs inside, in `cwd`. */
  enter(file: string, args: readonly string[], cwd: string): { file: string; args: string[] };
  /** Kills what is inside, and resolves when the holder has ended. */
  close(): Promise<void>;
}

/** Where the tools are looked for, whatever PATH the agent has. */
export const TOOL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How long the first process may take to say that it is there; a few milliseconds are usual. */
const READY_MS = 10_000;

/** Ignores ended children, so that the kernel reaps them, and waits for the end of its input. Inherits nothing of a shell. */
const FIRST_PROCESS = 'trap "" CHLD; echo ready; exec env --ignore-signal=CHLD cat >/dev/null';

/**
 * Makes a namespace and waits until it can be entered.
 * @param marks variables of the holder and the first process, by which they are known to be the attempt's
 * @returns a sentence that says why not
 */
export async function openNamespace(
  isolation: Exclude<Isolation, 'none'>,
  marks: Record<string, string>,
  toolPath = TOOL_PATH,
): Promise<Result<Namespace, string>> {
  const missing = ['unshare', 'nsenter', 'setsid'].find((tool) => !findProgram(tool, toolPath, '/').ok);
  if (missing !== undefined) return err(`there is no program "${missing}"`);
  const [file = '', ...args] = holderCommand(isolation, toolPath);
  const env = { ...marks, PATH: toolPath };
  const holder = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env });
  const ended = new Promise<void>((resolve) => holder.once('exit', () => resolve()).once('error', () => resolve()));
  // Closed pipes are told by the exit.
  for (const stream of holder.stdio) stream?.on('error', () => undefined);
  const failure = await untilReady(holder, ended);
  const startTime = holder.pid === undefined ? undefined : startTimeOf(holder.pid);
  const close = async (): Promise<void> => {
    holder.stdin?.destroy();
    if (holder.pid !== undefined && startTime !== undefined && isAlive({ pid: holder.pid, startTime }))
      holder.kill('SIGKILL');
    await ended;
  };
  if (failure === undefined && holder.pid !== undefined && startTime !== undefined) {
    const identity = { pid: holder.pid, startTime };
    return ok({ holder: identity, enter: (...call) => entryCommand(isolation, identity.pid, call, toolPath), close });
  }
  await close();
  return err(failure ?? 'the first process has ended');
}

function holderCommand(isolation: Isolation, toolPath: string): string[] {
  const setpriv = findProgram('setpriv', toolPath, '/');
  return [
    ...(setpriv.ok ? [setpriv.value, '--pdeathsig', 'KILL'] : []),
    placeOf('unshare', toolPath),
    ...(isolation === 'user-namespace' ? ['--user', '--map-current-user'] : []),
    ...['--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', FIRST_PROCESS],
  ];
}

type Call = [file: string, args: readonly string[], cwd: string];

/** Enters by the holder's links: the namespaces are its children's, not its own. */
function entryCommand(
  isolation: Isolation,
  pid: number,
  [file, args, cwd]: Call,
  toolPath: string,
): { file: string; args: string[] } {
  const links = `/proc/${pid}/ns`;
  const user = isolation === 'user-namespace' ? [`--user=${links}/user`, '--preserve-credentials'] : [];
  const entry = [...user, `--mount=${links}/mnt`, `--pid=${links}/pid_for_children`, `--wdns=${cwd}`];
  return {
    file: placeOf('nsenter', toolPath),
    args: [...entry, '--', placeOf('setsid', toolPath), file, ...args],
  };
}

/** The agent's own PATH may hold others of the same names. */
function placeOf(tool: string, toolPath: string): string {
  const found = findProgram(tool, toolPath, '/');
  return found.ok ? found.value : tool;
}

/** @returns undefined when the first process has said that it is there */
async function untilReady(holder: ChildProcess, ended: Promise<void>): Promise<string | undefined> {
  let complaint = '';
  holder.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const limit = new AbortController();
  const ready = once(holder.stdout!, 'data', {
    signal: AbortSignal.any([limit.signal, AbortSignal.timeout(READY_MS)]),
  });
  const failed = once(holder, 'error', { signal: limit.signal }).then(([error]) => String(error));
  const gone = Promise.all([ended, once(holder.stderr!, 'close', { signal: limit.signal })]).then(() =>
    firstLine(complaint),
  );
  try {
    return await Promise.race([ready.then(() => undefined), failed, gone]);
  } catch {
    return `it was not there after ${READY_MS / 1000} s`;
  } finally {
    limit.abort();
    for (const lost of [ready, failed, gone]) lost.catch(() => undefined);
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] || 'it ended at once';
}
