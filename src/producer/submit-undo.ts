/**
 * Submits the undo of a run that rests, as an ordinary run in the same workspace. The record takes one undo for each run,
 * in the call that hands over the workspace: whoever comes second, or again after a crash, finds that it is done.
 */
import { createHash } from 'node:crypto';
import { compileRunTree } from '../flows/compile.ts';
import { parseDefinition } from '../flows/definition.ts';
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import { compileGraph } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { compileUndo } from '../plan/undo-plan.ts';
import type { StagedRun } from '../redis/record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
import { randomId } from '../runtime/random.ts';
import { enqueue } from './enqueue.ts';
import type { Store } from './store.ts';
import { RUN_ID_LENGTH, type RunContext, stageRun } from './submit.ts';

/** What became of a run's wish for an undo. */
export type UndoSubmitted =
  | { kind: 'submitted' | 'already'; run: string }
  /** Nothing that completed has an undo. */
  | { kind: 'nothing' }
  /** It goes on, or nobody asked. */
  | { kind: 'not-now' };

/** Called between the two steps, where a crash is hardest to survive. */
type Between = () => void;

/** @throws what Redis answers with; to be tried again */
export async function submitUndo(
  store: Store,
  config: Config,
  clock: Clock,
  origin: string,
  between: Between = () => undefined,
): Promise<UndoSubmitted> {
  const meta = await store.record.readMeta(origin);
  if (meta === null || meta.finishedAt === undefined || !(await store.record.isUndoWanted(origin))) {
    const run = meta?.undoRun;
    return run === undefined ? { kind: 'not-now' } : { kind: 'already', run };
  }
  const undo = await readUndoPlan(store, origin);
  if (undo === null) {
    await store.record.waiveUndo(origin);
    return { kind: 'nothing' };
  }
  const run = randomId(RUN_ID_LENGTH);
  const staged = await stageUndo(store, config, clock, { origin, meta, plan: undo, run });
  const reply = await store.record.submit(staged);
  if (reply.kind === 'exists') return reply.run === '' ? { kind: 'nothing' } : { kind: 'already', run: reply.run };
  if (reply.kind === 'workspace') return { kind: 'not-now' };
  between();
  await enqueue(store, run, reply.outbox, [compileRunTree(run, reply.outbox)]);
  return { kind: 'submitted', run };
}

/** What would be undone of a run as it stands now; null when nothing would. */
export async function readUndoPlan(store: Store, run: string): Promise<Plan | null> {
  const [text, meta] = await Promise.all([store.record.readPlan(run), store.record.readMeta(run)]);
  if (text === null || meta === null) return null;
  const indexes = Array.from({ length: Number(meta.tasks) }, (_, index) => index);
  const [defs, records] = await Promise.all([store.record.readDefs(run, indexes), store.record.readTasks(run)]);
  const tasks = defs.flatMap((def) => (def === null ? [] : [parseDefinition(def)]));
  const completed = tasks.filter((_, index) => parseTaskRecord(records[index]).s === 'completed').map(({ id }) => id);
  return compileUndo({ ...(JSON.parse(text) as Plan), tasks }, run, new Set(completed));
}

interface Staging {
  origin: string;
  meta: Readonly<Record<string, string>>;
  plan: Plan;
  run: string;
}

/** As any run, but for the project, the workspace and the limits, which are those of the run that is undone. */
async function stageUndo(store: Store, config: Config, clock: Clock, staging: Staging): Promise<StagedRun> {
  const { origin, meta, plan, run } = staging;
  const context = JSON.parse(meta.context ?? '{}') as RunContext;
  const staged = stageRun(config, clock, {
    plan: await withOwnLimits(store, origin, plan),
    graph: compileGraph(plan),
    options: { inputs: context.inputs },
    hasOwnPhases: true,
    hash: createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 32),
    run,
    workspace: context.workspace,
  });
  return {
    ...staged,
    meta: { ...staged.meta, undoOf: origin, context: JSON.stringify({ ...context, name: plan.name }) },
    workspace: meta.workspace ?? staged.workspace,
  };
}

/**
 * What the run was submitted with stands in its nodes: the configuration may have changed since. A limit that does not could
 * not be reached by all tasks of that run, and so not by these.
 */
async function withOwnLimits(store: Store, origin: string, plan: Plan): Promise<Plan> {
  const indexes = plan.tasks.flatMap(({ undoes }) => (undoes === undefined ? [] : [undoes.index]));
  const limits = { ...plan.limits, phases: { ...plan.limits.phases } };
  for (const text of await store.record.readFields(origin, 'nodes', indexes)) {
    for (const [name, , capacity] of text === null ? [] : parseNode(text).l) {
      if (capacity === undefined) continue;
      if (name === 'agents') limits.agents = capacity;
      else limits.phases[name.slice('phase:'.length)] = capacity;
    }
  }
  return { ...plan, limits };
}
