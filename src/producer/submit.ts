/**
 * Submits a plan: stores the run and its tasks, then adds the first jobs. The run exists from the moment the record says
 * so; if this process dies before the jobs are added, the sweeper adds them from the outbox.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { compileRunTree } from '../flows/compile.ts';
import { compileRecord } from '../flows/record.ts';
import { leavesFiles } from '../plan/leaves-files.ts';
import type { Graph, Plan } from '../plan/plan.ts';
import { masterQueue } from '../redis/keys.ts';
import type { StagedRun } from '../redis/record.ts';
import { writeStagedStatus } from '../redis/run-status.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Config } from '../runtime/config.ts';
import { PlanqError } from '../runtime/errors.ts';
import { isInside } from '../runtime/files.ts';
import { randomId } from '../runtime/random.ts';
import { enqueue } from './enqueue.ts';
import { checkMemory, isOutOfMemory, redisFull } from './memory.ts';
import { waitForReplicas } from './replicas.ts';
import type { Store } from './store.ts';
import { shelveEarlierRun } from './workspace.ts';

export interface SubmitOptions {
  /** The same key gives the same run, however often it is submitted. */
  key?: string;
  /** What to do with declared inputs that are not there: fail the task, or warn. Default `strict`. */
  inputs?: 'strict' | 'warn';
  /** Root of the run's files; must not be in use by a live run. Without it: the default, or one of its own where that is in use. */
  workspace?: string;
  /** At most so many tasks of this run at once. */
  concurrency?: number;
}

export interface Submitted {
  runId: string;
  /** False when the key had been used for the same plan before. */
  created: boolean;
  /** As stored: relative to the project where it lies inside. */
  workspace: string;
  /** The run that uses the default workspace, where this one was given a workspace of its own for that. */
  beside?: string;
  /** For the operator: Redis is getting full. */
  warning?: string;
}

/** What a worker must know of a run besides the task; stored once. */
export interface RunContext {
  name: string;
  projectDir: string;
  workspace: string;
  inputs: 'strict' | 'warn';
}

export const RUN_ID_LENGTH = 10;

/**
 * @throws PlanqError `key_conflict` when the key belongs to another plan, `workspace_in_use` when the named workspace
 *   belongs to a live run, `redis_full` before the server has no room for running work
 */
export async function submitPlan(
  store: Store,
  config: Config,
  clock: Clock,
  input: { plan: Plan; graph: Graph },
  options: SubmitOptions = {},
): Promise<Submitted> {
  const warning = await checkMemory(store);
  const submitted = await submitUnder(store, config, clock, input, options);
  const warnings = [warning, await waitForReplicas(store, config.replicas)].filter((text) => text !== null);
  return warnings.length === 0 ? submitted : { ...submitted, warning: warnings.join('; ') };
}

async function submitUnder(
  store: Store,
  config: Config,
  clock: Clock,
  input: { plan: Plan; graph: Graph },
  options: SubmitOptions,
): Promise<Submitted> {
  const hash = createHash('sha256').update(JSON.stringify(input.plan)).digest('hex').slice(0, 32);
  const run = randomId(RUN_ID_LENGTH);
  const wanted = normalizeWorkspace(config.projectDir, options.workspace ?? config.workspace);
  const first = await trySubmit(store, config, clock, { ...input, options, hash, run, workspace: wanted });
  if (first.kind !== 'workspace') return conclude(first, options, hash, run, wanted);
  if (options.workspace !== undefined) {
    throw new PlanqError(
      'workspace_in_use',
      `cannot use workspace "${options.workspace}": run ${first.run} is using it`,
      {
        hint: `wait for that run, cancel it with "planq cancel ${first.run}", or name another --workspace`,
        facts: { run: first.run },
      },
    );
  }
  const own = `${wanted}-${run}`;
  const second = await trySubmit(store, config, clock, { ...input, options, hash, run, workspace: own });
  const submitted = conclude(second, options, hash, run, own);
  return submitted.created ? { ...submitted, beside: first.run } : submitted;
}

type Reply = Awaited<ReturnType<Store['record']['submit']>>;

function conclude(reply: Reply, options: SubmitOptions, hash: string, run: string, workspace: string): Submitted {
  if (reply.kind === 'workspace')
    throw new PlanqError('workspace_in_use', `cannot use workspace "${workspace}": run ${reply.run} is using it`);
  if (reply.kind === 'submitted') return { runId: run, created: true, workspace };
  if (reply.hash === hash) return { runId: reply.run, created: false, workspace };
  throw new PlanqError(
    'key_conflict',
    `cannot submit under key "${options.key}": it belongs to run ${reply.run} of another plan`,
    {
      hint: 'use another --key, or submit the plan unchanged',
      facts: { run: reply.run },
    },
  );
}

export interface Attempt {
  plan: Plan;
  graph: Graph;
  options: SubmitOptions;
  hash: string;
  run: string;
  workspace: string;
  /** Its phases have no limits but the plan's. */
  hasOwnPhases?: true;
}

async function trySubmit(store: Store, config: Config, clock: Clock, attempt: Attempt): Promise<Reply> {
  const reply = await store.record.submit(stageRun(config, clock, attempt)).catch((error: unknown) => {
    throw isOutOfMemory(error) ? redisFull('it refuses to store more') : error;
  });
  if (reply.kind !== 'submitted') return reply;
  await shelveEarlierRun(config.projectDir, attempt.workspace);
  for (const [master, cap] of Object.entries({ ...config.limits.masters, ...attempt.plan.limits.masters })) {
    await store.queues.queue(masterQueue(master)).setGlobalConcurrency(cap);
  }
  await enqueue(store, attempt.run, reply.outbox, [compileRunTree(attempt.run, reply.outbox)]);
  return reply;
}

/** What the record stores of a new run. Pure but for the time. */
export function stageRun(config: Config, clock: Clock, attempt: Attempt): StagedRun {
  const { plan, graph, options, run } = attempt;
  const { tasks, ...header } = plan;
  const context: RunContext = {
    name: plan.name,
    projectDir: config.projectDir,
    workspace: attempt.workspace,
    inputs: options.inputs ?? 'strict',
  };
  const { gates, approvals, limits, ...compiled } = compileRecord(plan, graph, {
    run,
    createdAt: clock.now(),
    phaseLimits: attempt.hasOwnPhases ? plan.limits.phases : { ...config.limits.phases, ...plan.limits.phases },
    agents: smallest(plan.limits.agents, options.concurrency),
  });
  return {
    run,
    meta: {
      name: plan.name,
      status: writeStagedStatus(tasks.length, approvals.length > 0, limits),
      nodes: graph.nodes.length,
      context: JSON.stringify(context),
      gates: JSON.stringify(gates),
      ...(tasks.some(leavesFiles) ? {} : { noFiles: 1 }),
      ...(plan.onFailure === undefined ? {} : { onFailure: plan.onFailure }),
    },
    plan: JSON.stringify({ ...header, stages: graph.stages, phases: graph.phases }),
    ...compiled,
    approvals,
    hash: attempt.hash,
    key: options.key ?? null,
    workspace: path.isAbsolute(attempt.workspace) ? attempt.workspace : path.join(config.projectDir, attempt.workspace),
    caps: resourceCaps(config, plan),
    masters: [...new Set(tasks.map((task) => task.master))],
  };
}

/** The config's word counts; the plan's is used where nobody else defined the resource. */
function resourceCaps(config: Config, plan: Plan): Record<string, number> {
  const caps: Record<string, number> = { agents: config.limits.agents };
  for (const [name, cap] of Object.entries({ ...plan.limits.resources, ...config.limits.resources }))
    caps[`res:${name}`] = cap;
  return caps;
}

function smallest(a: number | null, b: number | undefined): number | null {
  if (a === null) return b ?? null;
  return b === undefined ? a : Math.min(a, b);
}

/** Relative to the project where it lies inside, so that machines may mount the project at different places. */
function normalizeWorkspace(projectDir: string, workspace: string): string {
  const absolute = path.resolve(projectDir, workspace);
  return isInside(projectDir, absolute) ? path.relative(projectDir, absolute) || '.' : absolute;
}
