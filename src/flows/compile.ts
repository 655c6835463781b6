/**
 * Plan → job tree. One tree per barrier group: run job ← stage job ← task jobs in their masters' queues; without barriers
 * the task jobs hang under the run job.
 *
 * A BullMQ job has one parent and a plan is a graph, so a task with several dependents is not under any of them: the
 * record counts what each task still needs, and a task's job is added when nothing is missing any more. Its parent is the
 * stage job of its group when that group opens now; the stage job of the task that let it go when both are in one group
 * (that one is alive: the settling job is its unfinished child); else the run job, which is alive as long as any task is.
 * So no job ever gets a parent that has already finished, and the run job never sees zero children early: what comes next
 * is added before the job that caused it completes.
 */
import { type JobData, toJobData } from './job-data.ts';
import { parseNode } from './node.ts';

/** A job to add, free of BullMQ's types. */
export interface JobSpec {
  queue: 'runs' | { master: string };
  name: string;
  id: string;
  data: Record<string, unknown>;
  priority?: number;
  parent?: ParentRef;
  children?: JobSpec[];
}

export interface ParentRef {
  /** Always a job of the runs queue. */
  id: string;
}

export interface ReadyTask {
  index: number;
  /** Node JSON from the record. */
  node: string;
}

/** @returns the job id of a task of a run */
export function taskJobId(run: string, taskId: string): string {
  return `${run}.${taskId}`;
}

/** @returns the job id of a run's n-th barrier group */
export function stageJobId(run: string, group: number): string {
  return `${run}.stage-${group}`;
}

/**
 * The first tree of a run, or the tree by which lost jobs are added again: everything under the run job, which is made
 * when it is missing.
 * @param ready tasks to add; all of one group, or of any when `flat`
 */
export function compileRunTree(run: string, ready: readonly ReadyTask[], flat = false): JobSpec {
  return {
    queue: 'runs',
    name: 'run',
    id: run,
    data: toJobData({ v: 1, kind: 'run', run }),
    children: flat ? ready.map((task) => taskJob(run, task)) : compileGroups(run, ready),
  };
}

/**
 * Jobs for tasks that became ready when a task settled.
 * @param from the settling task's group and the id of its job's parent
 */
export function compileReady(
  run: string,
  ready: readonly ReadyTask[],
  from: { group: number; parentId: string | null },
): JobSpec[] {
  const same: JobSpec[] = [];
  const fresh: ReadyTask[] = [];
  for (const task of ready) {
    const { g } = parseNode(task.node);
    if (g === 0) same.push({ ...taskJob(run, task), parent: { id: run } });
    else if (g > from.group) fresh.push(task);
    else {
      const alive = g === from.group && from.parentId === stageJobId(run, g);
      same.push({ ...taskJob(run, task), parent: { id: alive ? stageJobId(run, g) : run } });
    }
  }
  return [...same, ...compileGroups(run, fresh).map((spec) => ({ ...spec, parent: { id: run } }))];
}

function compileGroups(run: string, ready: readonly ReadyTask[]): JobSpec[] {
  const groups = new Map<number, JobSpec[]>();
  for (const task of ready) {
    const { g } = parseNode(task.node);
    const list = groups.get(g) ?? [];
    list.push(taskJob(run, task));
    groups.set(g, list);
  }
  return [...groups].flatMap(([group, children]) =>
    group === 0 || children.length === 1 ? children : [stageJob(run, group, children)],
  );
}

function stageJob(run: string, group: number, children: JobSpec[]): JobSpec {
  const data: JobData = { v: 1, kind: 'stage', run, group };
  return { queue: 'runs', name: `stage ${group}`, id: stageJobId(run, group), data: toJobData(data), children };
}

function taskJob(run: string, task: ReadyTask): JobSpec {
  const node = parseNode(task.node);
  return {
    queue: { master: node.m },
    name: node.id,
    id: taskJobId(run, node.id),
    data: toJobData({ v: 1, kind: 'task', run, index: task.index }),
    priority: node.p,
  };
}
