/**
 * Looks whether what run and stage jobs wait for will come. What never will is let go of, and the parent looks into the
 * record then, as it always does; so letting go too early costs a look and nothing else.
 */
import { type DependencyFacts, judgeDependency, type Verdict } from '../flows/dependency.ts';
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import type { RunState } from '../plan/states.ts';
import { parseKey, releaseParent } from '../producer/release-parent.ts';
import type { Dependency } from '../redis/audits.ts';
import { masterQueue, RUNS_QUEUE } from '../redis/keys.ts';
import type { WorkerContext } from './context.ts';
import { tellRepair } from './repairs.ts';

const PARENTS_PER_PASS = 100;

export interface Finding {
  run: string;
  /** Job id of the one that waits. */
  parent: string;
  /** Null where it waits for nothing at all. */
  key: string | null;
  verdict: Verdict;
  /** Somebody is at work on its job. */
  isActive: boolean;
  task?: { index: number; id: string };
}

/** A page of the parents that wait. @returns what is broken, as suspects: parent and key */
export async function findBroken(worker: WorkerContext, from: number): Promise<{ broken: Finding[]; next: number }> {
  const { redis, keys } = worker.store;
  const waiting = `${keys.base}:${RUNS_QUEUE}:waiting-children`;
  const page = await redis.zrange(waiting, String(from), String(from + PARENTS_PER_PASS - 1));
  const broken: Finding[] = [];
  for (const parent of page)
    for (const finding of await judgeParent(worker, parent))
      if (finding.verdict !== 'wait' && broken.length < PARENTS_PER_PASS) broken.push(finding);
  return { broken, next: page.length < PARENTS_PER_PASS ? 0 : from + PARENTS_PER_PASS };
}

/** Each of some hundred of its dependencies, or of those named; empty unless it waits for children. */
export async function judgeParent(
  worker: WorkerContext,
  parent: string,
  keys: readonly string[] = [],
): Promise<Finding[]> {
  const run = parent.split('.')[0]!;
  const look = await worker.store.audits.lookAtParent(run, parent, keys);
  if (look.job !== 'waiting-children' || look.run === null) return [];
  if (look.count === 0) return [{ run, parent, key: null, verdict: 'broken', isActive: false }];
  const findings: Finding[] = [];
  for (const dependency of look.dependencies) {
    const known = await identify(worker, run, dependency);
    const verdict = judgeDependency({ ...known, run: look.run as RunState });
    const isActive = dependency.job === 'active';
    const task = taskOf(worker, run, dependency, known.index);
    findings.push({ run, parent, key: dependency.key, verdict, isActive, ...task });
  }
  return findings;
}

/** @returns whether anything was let go */
export async function release(worker: WorkerContext, { run, parent, key, verdict, task }: Finding): Promise<boolean> {
  if (verdict === 'wait') return false;
  const child = key === null ? null : parseKey(worker.store, key);
  const job = child === null ? undefined : await worker.store.queues.queue(child.queue).getJob(child.id);
  // What still waits in a queue, though its run has ended, goes; to be removed lets go of the parent as well.
  const isWaiting = job !== undefined && verdict === 'release' && (await job.getState()) !== 'failed';
  if (isWaiting) await job.remove().catch(() => undefined);
  else if (!(await releaseParent(worker.store, parent, key))) return false;
  if (verdict === 'broken')
    await tellRepair(worker, {
      what: 'parent',
      run,
      name: key === null ? parent : (child?.id ?? key),
      ...(task === undefined ? {} : { task }),
    });
  return true;
}

interface Known extends Omit<DependencyFacts, 'run'> {
  index: number | null;
}

/** A job that is gone says nothing of itself; its id is looked for among the run's tasks. */
async function identify(worker: WorkerContext, run: string, found: Dependency): Promise<Known> {
  const { job, task, index, isTolerated } = found;
  const child = parseKey(worker.store, found.key);
  const isId = child?.id.startsWith(`${run}.`) ?? false;
  const base = { job, index, task: task as Known['task'], isTolerated, isOurs: isId && found.run === run };
  if (job !== 'absent' || child === null) return base;
  const at = child.queue === RUNS_QUEUE ? -1 : await findIndex(worker, run, child);
  if (at < 0) return { ...base, isOurs: true };
  const record = parseTaskRecord(await worker.store.record.readTask(run, at));
  return { ...base, isOurs: true, index: at, task: record.s, isTolerated: record.tol === 1 };
}

async function findIndex(worker: WorkerContext, run: string, child: { queue: string; id: string }): Promise<number> {
  const count = Number((await worker.store.record.readMeta(run))?.tasks ?? 0);
  const indexes = Array.from({ length: count }, (_, index) => index);
  return (await worker.store.record.readFields(run, 'nodes', indexes)).findIndex((text) => {
    const node = text === null ? null : parseNode(text);
    return node !== null && `${run}.${node.id}` === child.id && masterQueue(node.m) === child.queue;
  });
}

function taskOf(
  worker: WorkerContext,
  run: string,
  { key }: Dependency,
  index: number | null,
): { task?: { index: number; id: string } } {
  if (index === null) return {};
  const id = parseKey(worker.store, key)?.id.slice(run.length + 1) ?? String(index);
  return { task: { index, id } };
}
