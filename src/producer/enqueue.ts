/**
 * Puts jobs into BullMQ, so that they are really there. BullMQ can report success and leave nothing (a refused child, a
 * lost script cache), so every insert is confirmed against the job keys, in the same call that empties the outbox. What
 * is missing is inserted once more on a fresh connection; what is missing then is left to the sweeper.
 */
import { compileReady, compileRunTree, type JobSpec, type ReadyTask, stageJobId, taskJobId } from '../flows/compile.ts';
import { parseNode } from '../flows/node.ts';
import { JOB_OPTIONS } from '../redis/job-options.ts';
import { masterQueue, RUNS_QUEUE } from '../redis/keys.ts';
import type { FlowJob } from '../redis/queues.ts';
import { errorMessage } from '../runtime/errors.ts';
import type { Store } from './store.ts';

/** BullMQ runs one insert as one script sequence; longer ones keep every other client waiting. */
const CHUNK = 500;

/** Adds ready tasks' jobs, confirms them, empties the outbox. Adding twice adds once. */
export async function enqueue(
  store: Store,
  run: string,
  ready: readonly ReadyTask[],
  specs: readonly JobSpec[],
): Promise<void> {
  if (ready.length === 0) return;
  const flows = specs.map((spec) => toFlowJob(store, spec));
  let missing = await insert(store, run, ready, flows);
  if (missing.length > 0) {
    await store.renewProducer();
    missing = await insert(store, run, ready, flows);
  }
}

/**
 * Adds jobs that nobody added, whatever became of their tree: under the stage job that still waits for them, else under the
 * run job, which is made when it is missing.
 */
export async function enqueueAgain(store: Store, run: string, ready: readonly ReadyTask[]): Promise<void> {
  if (ready.length === 0) return;
  const isAwaited = await findAwaited(store, run, ready);
  const flat = ready.filter((_, at) => !isAwaited[at]);
  const staged = ready.filter((_, at) => isAwaited[at]);
  await enqueue(store, run, ready, [
    compileRunTree(run, flat, true),
    ...staged.flatMap((task) => {
      const group = parseNode(task.node).g;
      return compileReady(run, [task], { group, parentId: stageJobId(run, group) });
    }),
  ]);
}

/** Of each task: whether its stage job waits for its job, so that it would wait for ever for one under another parent. */
async function findAwaited(store: Store, run: string, ready: readonly ReadyTask[]): Promise<boolean[]> {
  const pipeline = store.redis.pipeline();
  for (const task of ready) {
    const stage = `${store.keys.base}:${RUNS_QUEUE}:${stageJobId(run, parseNode(task.node).g)}`;
    pipeline.sismember(`${stage}:dependencies`, jobKey(store, run, task));
  }
  return ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply === 1;
  });
}

/** Whether the stage job of a group is there already; then its late tasks hang under the run job. */
export async function stageJobExists(store: Store, run: string, group: number): Promise<boolean> {
  return (await store.redis.exists(`${store.keys.base}:${RUNS_QUEUE}:${stageJobId(run, group)}`)) === 1;
}

async function insert(store: Store, run: string, ready: readonly ReadyTask[], flows: FlowJob[]): Promise<number[]> {
  try {
    for (const part of chunked(store, flows)) await store.queues.flows.addBulk(part);
  } catch (error) {
    if (!errorMessage(error).includes('NOSCRIPT')) throw error;
    return ready.map((task) => task.index);
  }
  return store.record.confirmAdded(
    run,
    ready.map((task) => ({ index: task.index, key: jobKey(store, run, task) })),
  );
}

function jobKey(store: Store, run: string, task: ReadyTask): string {
  const node = parseNode(task.node);
  return `${store.keys.base}:${masterQueue(node.m)}:${taskJobId(run, node.id)}`;
}

/** Parts of at most 500 jobs; a wide tree is cut: its first children with their parents, the others by reference. */
function* chunked(store: Store, flows: readonly FlowJob[]): Generator<FlowJob[]> {
  let part: FlowJob[] = [];
  let size = 0;
  for (const flow of flows.flatMap((flow) => cutTree(store, flow))) {
    const weight = countJobs(flow);
    if (size > 0 && size + weight > CHUNK) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(flow);
    size += weight;
  }
  if (part.length > 0) yield part;
}

function cutTree(store: Store, flow: FlowJob): FlowJob[] {
  const children = flow.children ?? [];
  const cutChildren = children.map((child) => cutTree(store, child));
  const parent = { id: flow.opts?.jobId ?? '', queue: store.queues.qualifiedName(flow.queueName) };
  const kept: FlowJob[] = [];
  const later: FlowJob[] = [];
  let size = 1;
  for (const [first, ...rest] of cutChildren) {
    const weight = countJobs(first!);
    if (size + weight <= CHUNK) {
      kept.push(first!);
      size += weight;
    } else {
      later.push({ ...first!, opts: { ...first!.opts, parent } });
    }
    later.push(...rest);
  }
  return [children.length === 0 ? flow : { ...flow, children: kept }, ...later];
}

function countJobs(flow: FlowJob): number {
  return 1 + (flow.children ?? []).reduce((sum, child) => sum + countJobs(child), 0);
}

function toFlowJob(store: Store, spec: JobSpec): FlowJob {
  return {
    name: spec.name,
    queueName: spec.queue === 'runs' ? RUNS_QUEUE : masterQueue(spec.queue.master),
    data: spec.data,
    opts: {
      ...JOB_OPTIONS,
      jobId: spec.id,
      ...(spec.priority === undefined ? {} : { priority: spec.priority }),
      ...(spec.parent === undefined
        ? {}
        : { parent: { id: spec.parent.id, queue: store.queues.qualifiedName(RUNS_QUEUE) } }),
    },
    ...(spec.children === undefined ? {} : { children: spec.children.map((child) => toFlowJob(store, child)) }),
  };
}
