/**
 * A shell line that is to be over soon: started in a group of its own, fed, its last output kept, and stopped with
 * everything it started when its time is up. Whatever it leaves running is stopped too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/errors.ts';
import { randomId } from '../runtime/random.ts';
import { MARKER, type ProcessIdentity, startTimeOf } from './proc.ts';
import { stopTree, sweepLeftovers } from './stop.ts';

export interface ShortCommand {
  /** For `/bin/sh -c`; nothing is ever put into it. */
  line: string;
  cwd: string;
  /** The complete environment. */
  env: Record<string, string>;
  stdin: string;
  timeoutMs: number;
  /** From TERM to KILL. */
  graceMs: number;
  signal: AbortSignal;
  clock: Clock;
  /** Told at once of the process and its marker. */
  onStart?(process: ProcessIdentity, token: string): void;
  /** Told when nothing of it is left. */
  onEnd?(token: string): void;
}

export interface ShortEnd {
  /** What ended it: itself, its time, the caller; or it could not be started. */
  kind: 'exited' | 'timeout' | 'aborted' | 'not-started';
  code: number | null;
  /** The signal that it died of, or why it could not be started. */
  detail: string | null;
  /** The last 4 KB of what it said. */
  output: string;
}

const OUTPUT_LIMIT = 4096;
const LAST_WORDS_MS = 500;

/** Runs the line to its end. @throws nothing that the command can cause */
export async function runShortCommand(command: ShortCommand): Promise<ShortEnd> {
  const token = randomId(20);
  const tail = { text: '' };
  let child: ChildProcess;
  try {
    child = start(command, token, tail);
  } catch (error) {
    return { kind: 'not-started', code: null, detail: errorMessage(error), output: '' };
  }
  const ended = whenEnded(child);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  if (child.pid === undefined) return { ...(await ended), output: '' };
  const identity = { pid: child.pid, startTime: startTimeOf(child.pid) ?? '' };
  command.onStart?.(identity, token);
  try {
    const end = await Promise.race([ended, whenDue(command, ended)]);
    const target = { ...identity, token, graceMs: command.graceMs };
    if (end.kind === 'exited') await sweepLeftovers(target, command.clock);
    else await stopTree(target, command.clock);
    // What it said last may still be on its way; with all of it stopped, nobody holds the pipe open.
    await Promise.race([closed, command.clock.sleep(LAST_WORDS_MS)]);
    return { ...end, output: tail.text };
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
    command.onEnd?.(token);
  }
}

function start({ line, cwd, env, stdin }: ShortCommand, token: string, tail: { text: string }): ChildProcess {
  const child = spawn('/bin/sh', ['-c', line], {
    cwd,
    env: { ...env, [MARKER]: token },
    detached: true,
    stdio: 'pipe',
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      tail.text = (tail.text + text).slice(-OUTPUT_LIMIT);
    });
  // It may end without having read what it was fed; that is its own affair.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return child;
}

type End = Omit<ShortEnd, 'output'>;

function whenEnded(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', code: null, detail: error.message }));
    child.once('exit', (code, signal) => resolve({ kind: 'exited', code, detail: signal }));
  });
}

async function whenDue({ clock, timeoutMs, signal }: ShortCommand, ended: Promise<End>): Promise<End> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  await clock.sleep(timeoutMs, AbortSignal.any([signal, over.signal]));
  return { kind: signal.aborted ? 'aborted' : 'timeout', code: null, detail: null };
}
