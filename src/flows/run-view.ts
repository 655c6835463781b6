/**
 * The run as people and programs see it: one shape for the CLI's `--json`, the API and the report. Pure: made of what the
 * record gives.
 */
import { type RunState, TASK_STATES, type TaskState } from '../plan/states.ts';
import { toIsoOrNull } from '../runtime/clock.ts';
import { gateNames } from './gate-names.ts';
import { DAMAGED_REASON, readRemains, readShown, type ShownDefinition } from './read-definition.ts';

export type Counts = Record<TaskState | 'total', number>;

export interface RunSummary {
  id: string;
  name: string;
  state: RunState;
  createdAt: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  counts: Counts;
  /** Once its undo was asked for: whether it was submitted, and the run that does it. */
  undo?: { state: 'wanted' | 'submitted' | 'nothing'; run: string | null };
  /** Of an undo run: the run that it takes back. */
  undoOf?: string;
  /** Where its files are, when it was given a workspace of its own beside a live run. */
  workspace?: string;
}

export interface TaskView {
  id: string;
  title: string;
  state: TaskState;
  stage: number;
  phase: string;
  master: string;
  /** 0 before the first. */
  attempt: number;
  /** Of the last attempt. */
  startedAt: string | null;
  finishedAt: string | null;
  durationMs: number | null;
  agent: string | null;
  exitCode: number | null;
  reason: string | null;
  /** Ids of the failed tasks because of which it is blocked. */
  blockedBy: string[];
  needs: string[];
  /** Of a task of an undo run: the task that it takes back. */
  undoes?: string;
  /** Its definition in Redis is no task any more: what depends on it is not known. */
  damaged?: true;
}

export interface RunView {
  run: RunSummary;
  tasks: TaskView[];
}

/** What stands in the record of a task; see redis/scripts/lib.lua. */
export interface TaskRecord {
  s: TaskState;
  a?: number;
  u?: number;
  /** Attempts used before the last retry by a person. */
  z?: number;
  c?: number;
  k?: string;
  w?: string;
  b0?: number;
  st?: number;
  f?: number;
  r?: string;
  x?: number;
  b?: number[];
  n?: number;
  wq?: string[];
  g?: number;
  p?: number;
  v?: number;
  pid?: number;
  /** 1 waits for approval, 2 approved. */
  ap?: number;
  /** 1 = a failure that is tolerated, or skipped by a person. */
  tol?: number;
}

/** Whether BullMQ must have a job for the task: it may start, or waits in line for a share. Not when it waits for a person. */
export function needsJob(record: TaskRecord): boolean {
  return record.s === 'ready' || (record.s === 'parked' && record.ap !== 1);
}

/** Reads a task's record; a task without one is pending. */
export function parseTaskRecord(text: string | null | undefined): TaskRecord {
  return text === null || text === undefined ? { s: 'pending' } : (JSON.parse(text) as TaskRecord);
}

/** @param meta the run's hash */
export function toRunSummary(id: string, meta: Readonly<Record<string, string>>): RunSummary {
  const counts = { total: Number(meta.tasks ?? 0) } as Counts;
  for (const state of TASK_STATES) counts[state] = Number(meta[`n:${state}`] ?? 0);
  return {
    id,
    name: meta.name ?? '',
    state: (meta.state ?? 'running') as RunState,
    createdAt: isoOf(meta.createdAt),
    startedAt: isoOf(meta.startedAt),
    finishedAt: isoOf(meta.finishedAt),
    counts,
    ...(meta.undo === undefined ? {} : { undo: { state: meta.undo as UndoState, run: meta.undoRun ?? null } }),
    ...(meta.undoOf === undefined ? {} : { undoOf: meta.undoOf }),
    ...ownWorkspace(id, meta.context),
  };
}

/** Such a workspace ends in the run's id; an undo works in the one of its run. */
function ownWorkspace(id: string, context: string | undefined): Pick<RunSummary, 'workspace'> {
  const { workspace } = JSON.parse(context ?? '{}') as { workspace?: string };
  return workspace?.endsWith(`-${id}`) === true ? { workspace } : {};
}

type UndoState = NonNullable<RunSummary['undo']>['state'];

/**
 * @param defs definitions in order of index; null where one is gone
 * @param records field index → JSON
 * @param nodes index → node, of tasks whose definitions are damaged
 */
export function toRunView(
  id: string,
  meta: Readonly<Record<string, string>>,
  defs: readonly (string | null)[],
  records: Readonly<Record<string, string>>,
  nodes: ReadonlyMap<number, string | null> = new Map(),
): RunView {
  const tasks = defs.map((text, index) => readShown(text) ?? remainsOf(nodes.get(index), index));
  const gates = gateNames(meta);
  return {
    run: toRunSummary(id, meta),
    tasks: tasks.map((task, index) =>
      toTaskView(
        task,
        parseTaskRecord(records[index]),
        (other) => tasks[other]?.id ?? gates.get(other) ?? String(other),
      ),
    ),
  };
}

type Shown = ShownDefinition & { damaged?: true };

function remainsOf(node: string | null | undefined, index: number): Shown {
  const { id, m, g } = readRemains(node, index);
  return {
    id,
    title: id,
    stage: Math.max(1, g),
    phase: 'unknown',
    master: m,
    agent: null,
    needs: [],
    damaged: true,
  };
}

function toTaskView(task: Shown, record: TaskRecord, idOf: (index: number) => string): TaskView {
  return {
    id: task.id,
    title: task.title,
    state: record.s,
    stage: task.stage,
    phase: task.phase,
    master: task.master,
    attempt: record.a ?? 0,
    startedAt: toIsoOrNull(record.st),
    finishedAt: toIsoOrNull(record.f),
    durationMs: record.st !== undefined && record.f !== undefined ? record.f - record.st : null,
    agent: task.agent,
    exitCode: record.x ?? null,
    reason: record.r ?? (task.damaged === true ? DAMAGED_REASON : null),
    blockedBy: [...new Set((record.b ?? []).map(idOf))].sort(),
    needs: task.needs.map((need) => need.task),
    ...(task.undoes === undefined ? {} : { undoes: task.undoes.task }),
    ...(task.damaged === true ? { damaged: true as const } : {}),
  };
}

function isoOf(text: string | undefined): string | null {
  return text === undefined ? null : toIsoOrNull(Number(text));
}
