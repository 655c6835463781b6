/** Tells a receiver by a shell line: the notification as JSON on its stdin, and as variables. Nothing is put into the line. */
import { allowedEnvironment } from '../agents/environment.ts';
import type { Guardian } from '../agents/guardian.ts';
import { runShortCommand, type ShortEnd } from '../agents/short-command.ts';
import { toWorkerWords, type WorkerMark } from '../agents/worker-mark.ts';
import type { Clock } from '../runtime/clock.ts';
import { bounded } from '../runtime/errors.ts';
import type { CommandEntry, NotifyEntry } from '../runtime/notify-config.ts';
import type { Notification } from './notification.ts';
import { type Receiver, receiverId, type Sent } from './receiver.ts';

export interface CommandTools {
  clock: Clock;
  cwd: string;
  /** The worker's. */
  env: Readonly<Record<string, string | undefined>>;
  passEnv: readonly string[];
  /** From TERM to KILL. */
  graceMs: number;
  /** Stops the command when the worker dies; none where no worker is. */
  guardian?: Pick<Guardian, 'lease' | 'drop'> | undefined;
  mark?: WorkerMark | undefined;
  /** Takes what a command said that did well. */
  debug(message: string): void;
  /** For tests. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
const SHOWN = 300;
const VARIABLE_LIMIT = 4000;

/** @param name as people know it */
export function createCommand(entry: CommandEntry, name: string, tools: CommandTools): Receiver {
  return {
    id: receiverId(entry),
    name,
    on: entry.on,
    send: async (notification, signal) => {
      const end = await run(entry.command, notification, signal, tools);
      if (end.output !== '') tools.debug(`${name} said: ${end.output}`);
      return toSent(end, tools.timeoutMs ?? TIMEOUT_MS);
    },
  };
}

function run(line: string, notification: Notification, signal: AbortSignal, tools: CommandTools): Promise<ShortEnd> {
  const { timeoutMs = TIMEOUT_MS, graceMs, guardian, mark } = tools;
  return runShortCommand({
    line,
    cwd: tools.cwd,
    env: {
      ...allowedEnvironment(tools.env, tools.passEnv),
      ...(mark === undefined ? {} : toWorkerWords(mark)),
      ...toVariables(notification),
    },
    stdin: `${JSON.stringify(notification)}\n`,
    timeoutMs,
    graceMs,
    signal,
    clock: tools.clock,
    // Its own time ends it first; the guardian is for a worker that dies.
    onStart: (process, token) => guardian?.lease({ ...process, id: token, token, ttlMs: timeoutMs + 2 * graceMs }),
    onEnd: (token) => guardian?.drop(token),
  });
}

/** Lists are one name a line. A variable holds no NUL, and the system takes no long ones. */
export function toVariables(notification: Notification): Record<string, string> {
  const { type, id, run, text, reason, time, failed, blocked, waitingFor } = notification;
  const words = {
    PLANQ_NOTIFY: type,
    PLANQ_NOTIFY_ID: id,
    PLANQ_NOTIFY_TIME: time,
    PLANQ_RUN_ID: run?.id ?? '',
    PLANQ_RUN_NAME: run?.name ?? '',
    PLANQ_RUN_STATE: run?.state ?? '',
    PLANQ_TEXT: text,
    PLANQ_REASON: reason ?? '',
    PLANQ_FAILED: failed.map(({ task }) => task).join('\n'),
    PLANQ_BLOCKED: blocked.join('\n'),
    PLANQ_WAITING_FOR: waitingFor.join('\n'),
  };
  return Object.fromEntries(
    Object.entries(words).map(([name, value]) => [name, bounded(value.replaceAll('\0', ''), VARIABLE_LIMIT)]),
  );
}

function toSent(end: ShortEnd, timeoutMs: number): Sent {
  if (end.kind === 'exited' && end.code === 0) return { ok: true, message: 'exit code 0' };
  const said = end.output
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(-SHOWN);
  return {
    ok: false,
    message: said === '' ? howEnded(end, timeoutMs) : `${howEnded(end, timeoutMs)}: ${said}`,
    isFinal: false,
  };
}

function howEnded({ kind, code, detail }: ShortEnd, timeoutMs: number): string {
  switch (kind) {
    case 'exited':
      return detail === null ? `exit code ${code}` : `ended by ${detail}`;
    case 'timeout':
      return `not done within ${timeoutMs / 1000} s`;
    case 'aborted':
      return 'stopped';
    case 'not-started':
      return `cannot start it: ${detail}`;
  }
}

/** Which of the two kinds of entry it is. */
export function isCommand(entry: NotifyEntry): entry is CommandEntry {
  return 'command' in entry;
}
