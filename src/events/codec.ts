/**
 * Stream entry → event. Entries are small: numbers as text, absent fields left out or empty.
 */
import type { Event, EventType, RepairKind, TaskEvent } from './event.ts';

/** @param id the entry's stream id, whose first part is the server's time */
export function parseEvent(id: string, fields: Readonly<Record<string, string>>): Event {
  const base = { id, at: Number(id.split('-')[0]), run: fields.run ?? '' };
  const type = fields.type as EventType;
  if (type === 'runs-pruned') return { ...base, type, count: Number(fields.count), worker: fields.worker ?? '' };
  if (type === 'no-worker') return { ...base, type, master: fields.master ?? '', count: Number(fields.count) };
  if (type === 'repaired') return { ...base, type, what: fields.what as RepairKind, ...repairFacts(fields) };
  if (type.startsWith('run-') || type.startsWith('undo-') || type === 'notify-failed') {
    const names = ['name', 'reason', 'undoRun', 'notify', 'to'];
    return Object.assign({ ...base, type }, ...names.map((name) => optionalText(name, fields[name]))) as Event;
  }
  if (fields.tasks !== undefined && type !== 'run-resumed') {
    const tasks = (fields.tasks ?? '')
      .split(',')
      .filter((text) => text !== '')
      .map(Number);
    return { ...base, type, tasks, ...optionalNumber('by', fields.by) } as Event;
  }
  return { ...base, type, task: Number(fields.task), ...taskFacts(fields) } as TaskEvent;
}

function repairFacts(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    ...optionalNumber('index', fields.task),
    ...optionalNumber('count', fields.count),
    ...optionalNumber('was', fields.was),
    ...optionalText('name', fields.name),
  };
}

function taskFacts(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    ...optionalNumber('attempt', fields.attempt),
    ...optionalText('reason', fields.reason),
    ...optionalNumber('exitCode', fields.exit),
    ...optionalNumber('durationMs', fields.ms),
    ...optionalNumber('delayMs', fields.delay),
    ...optionalNumber('percent', fields.percent),
    ...optionalText('message', fields.message),
    ...optionalText('worker', fields.worker),
    ...optionalNumber('blocked', fields.blocked),
    ...optionalNumber('crashes', fields.crashes),
  };
}

function optionalNumber(name: string, text: string | undefined): Record<string, number> {
  return text === undefined || text === '' ? {} : { [name]: Number(text) };
}

function optionalText(name: string, text: string | undefined): Record<string, string> {
  return text === undefined || text === '' ? {} : { [name]: text };
}
