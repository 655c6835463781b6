/** Events as programs get them: tasks by id, times as ISO 8601. */
import type { Event } from '../../events/event.ts';
import { toIso } from '../../runtime/clock.ts';
import type { RunModel } from './model.ts';

export function toEventJson(event: Event, model: RunModel): Record<string, unknown> {
  const { id, at, ...facts } = event;
  return {
    ...facts,
    at: toIso(at),
    id,
    ...('index' in event && event.index !== undefined ? { task: model.idOf(event.index), index: undefined } : {}),
    ...('task' in event ? { task: model.idOf(event.task) } : {}),
    ...('tasks' in event ? { tasks: event.tasks.map((index) => model.idOf(index)) } : {}),
    ...('by' in event && event.by !== undefined ? { by: model.idOf(event.by) } : {}),
  };
}
