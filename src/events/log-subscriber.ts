/**
 * Events as log lines: one JSON object a line, or a readable line for people. Every line carries run, task and attempt.
 */
import { pino } from 'pino';
import { MASKED } from '../runtime/mask.ts';
import type { Event } from './event.ts';

export interface LogLine {
  level: 'info' | 'warn' | 'error';
  message: string;
  facts: Record<string, unknown>;
}

export interface Log {
  write(line: LogLine): void;
}

const WARNINGS: ReadonlySet<Event['type']> = new Set([
  'task-warning',
  'task-retrying',
  'task-rescued',
  'task-superseded',
  'approval-wanted',
  'rejected',
  'run-paused',
  'notify-failed',
  'no-worker',
  'repaired',
]);
const ERRORS: ReadonlySet<Event['type']> = new Set(['task-failed', 'run-blocked', 'run-failed']);

/** @param idOf a task's id by its index */
export function toLogLine(event: Event, idOf: (index: number) => string): LogLine {
  const { type, at: _at, id: _id, ...rest } = event;
  const facts = type === 'task-rescued' ? withLostWorker(rest) : rest;
  const level = ERRORS.has(type) ? 'error' : WARNINGS.has(type) ? 'warn' : 'info';
  return {
    level,
    message: type,
    facts: {
      ...facts,
      ...('index' in event && event.index !== undefined ? { task: idOf(event.index), index: undefined } : {}),
      ...('task' in event ? { task: idOf(event.task) } : {}),
      ...('tasks' in event ? { tasks: event.tasks.map(idOf) } : {}),
      ...('by' in event && event.by !== undefined ? { by: idOf(event.by) } : {}),
    },
  };
}

/** `worker` is who writes the line; of a rescue the event names the one that is gone. */
function withLostWorker({ worker, ...facts }: Record<string, unknown>): Record<string, unknown> {
  return worker === undefined ? facts : { ...facts, lostWorker: worker };
}

/** Facts that no line may carry, by name; the values that agents print are masked before they become events. */
const SECRET_FACTS = ['token', 'password', 'secret', 'secrets', 'env', 'redisUrl', 'url', 'authorization'];

/** JSON lines, each with its time, level and `base`; a fact under a name of the base is left out, so that no key is there twice. */
export function createJsonLog(stream: { write(text: string): unknown }, base: Record<string, unknown>): Log {
  const logger = pino(
    {
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FACTS.flatMap((name) => [name, `*.${name}`]), censor: MASKED },
    },
    { write: (text: string) => void stream.write(text) },
  );
  return {
    write: ({ level, message, facts }) => {
      const own = Object.entries(facts).filter(([name]) => !Object.hasOwn(base, name));
      logger[level](Object.fromEntries(own), message);
    },
  };
}
