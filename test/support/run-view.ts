/** Views of runs as the record would give them, for tests of what is shown. */
import type { Counts, RunView, TaskView } from '../../src/flows/run-view.ts';
import { type RunState, TASK_STATES } from '../../src/plan/states.ts';

/** 2026-01-02T03:04:05Z. */
export const STARTED_AT = 1_767_323_045_000;

export function makeTaskView(parts: Partial<TaskView> = {}): TaskView {
  return {
    id: 'design',
    title: 'Design it',
    state: 'pending',
    stage: 1,
    phase: 'planning',
    master: 'development',
    attempt: 0,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    agent: 'fake',
    exitCode: null,
    reason: null,
    blockedBy: [],
    needs: [],
    ...parts,
  };
}

/** A run of these tasks that began at {@link STARTED_AT}; its counts are those of the tasks. */
export function makeRunView(
  tasks: readonly Partial<TaskView>[],
  state: RunState = 'running',
  name = 'Build it',
): RunView {
  const views = tasks.map(makeTaskView);
  const counts = { total: views.length } as Counts;
  for (const word of TASK_STATES) counts[word] = views.filter((task) => task.state === word).length;
  const startedAt = new Date(STARTED_AT).toISOString();
  return {
    run: { id: 'abcdefghjk', name, state, createdAt: startedAt, startedAt, finishedAt: null, counts },
    tasks: views,
  };
}
