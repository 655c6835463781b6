/**
 * A planq of one's own for a test: fresh project folder, fresh key prefix on the test run's Redis, short lock times.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject, onTestFinished } from 'vitest';
import type { Agent } from '../../src/agents/agent.ts';
import { createAgents, KNOWN_AGENTS } from '../../src/agents/registry.ts';
import type { RunView } from '../../src/flows/run-view.ts';
import { compileGraph } from '../../src/plan/graph.ts';
import { parsePlan } from '../../src/plan/parse.ts';
import type { Graph, Plan } from '../../src/plan/plan.ts';
import { isAtRest } from '../../src/plan/states.ts';
import { readRun } from '../../src/producer/read-run.ts';
import { openStore, type Store } from '../../src/producer/store.ts';
import { type SubmitOptions, type Submitted, submitPlan } from '../../src/producer/submit.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Config, loadConfig } from '../../src/runtime/config.ts';
import { randomId } from '../../src/runtime/random.ts';
import { WorkerPool } from '../../src/workers/pool.ts';
import { waitUntil } from './processes.ts';

export interface TestApp {
  projectDir: string;
  prefix: string;
  /** Environment that makes a planq process work on this app's Redis and project. */
  env: Record<string, string>;
  config: Config;
  store: Store;
  warnings: string[];
  submit(plan: LoadedTestPlan, options?: SubmitOptions): Promise<Submitted>;
  /** Starts a worker in this process; it ends with the test. */
  startPool(options?: TestPoolOptions): Promise<WorkerPool>;
  /** Stops every worker of this process but one. */
  stopOthers(but: WorkerPool): Promise<void>;
  view(run: string): Promise<RunView>;
  /** Waits until nothing of the run moves any more, and this process's workers have written what they write after that. */
  atRest(run: string, timeoutMs?: number): Promise<RunView>;
  /** Text of a file of the project. */
  file(name: string): Promise<string>;
}

export interface TestPoolOptions {
  masters?: Record<string, number>;
  agents?: ReadonlyMap<string, Agent>;
  env?: Record<string, string>;
  concurrency?: number;
  keep?: Config['keep'];
  config?: Config;
}

export interface LoadedTestPlan {
  plan: Plan;
  graph: Graph;
}

export interface TestAppOptions {
  lockMs?: number;
  /** Another server than the test run's. */
  redisUrl?: string;
  /** Contents of planq.config.json, as an object. */
  overrides?: Partial<Config['limits']>;
  /** As in the configuration. */
  queueEvents?: boolean;
}

/** Makes an app that is closed and removed when the test has ended. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const projectDir = await mkdtemp(path.join(tmpdir(), 'planq-project-'));
  const prefix = `test-${randomId(8)}`;
  const env = {
    REDIS_URL: options.redisUrl ?? inject('redisUrl'),
    PLANQ_PREFIX: prefix,
    PLANQ_LOCK_MS: String(options.lockMs ?? 3000),
  };
  const loaded = await loadConfig(env, { projectDir }, projectDir);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const config: Config = {
    ...loaded.value,
    queueEvents: options.queueEvents ?? false,
    limits: { ...loaded.value.limits, ...options.overrides },
    times: { ...loaded.value.times, graceMs: 300, drainMs: 200, backoffMs: 20 },
  };
  const store = await openStore(config, systemClock);
  const pools: WorkerPool[] = [];
  const warnings: string[] = [];
  onTestFinished(async () => {
    for (const pool of pools) await pool.stop();
    await removeKeys(store);
    await store.close();
    await rm(projectDir, { recursive: true, force: true });
  });
  const view = async (run: string): Promise<RunView> => {
    const found = await readRun(store, run);
    if (found === null) throw new Error(`no run ${run}`);
    return found;
  };
  return {
    projectDir,
    prefix,
    env,
    config,
    store,
    warnings,
    submit: (plan, submitOptions) => submitPlan(store, config, systemClock, plan, submitOptions),
    startPool: async (poolOptions = {}) => {
      const pool = new WorkerPool({
        store,
        config: {
          ...config,
          ...poolOptions.config,
          concurrency: poolOptions.concurrency ?? config.concurrency,
          keep: poolOptions.keep ?? poolOptions.config?.keep ?? config.keep,
        },
        clock: systemClock,
        random: () => 0.5,
        agents: poolOptions.agents ?? createAgents({ clock: systemClock }),
        env: { PATH: process.env.PATH, ...poolOptions.env },
        masters: poolOptions.masters ?? null,
        hook: () => undefined,
        warn: (message) => void warnings.push(message),
      });
      pools.push(pool);
      await pool.start();
      return pool;
    },
    stopOthers: async (but) => {
      for (const pool of pools) if (pool !== but) await pool.stop();
    },
    view,
    atRest: async (run, timeoutMs = 20_000) => {
      const found = await waitUntil(
        `run ${run} is at rest`,
        async () => {
          const meta = await store.record.readMeta(run);
          return meta !== null && isAtRest(meta.state as RunView['run']['state']) && meta['n:running'] !== '1'
            ? view(run)
            : undefined;
        },
        timeoutMs,
      );
      await waitUntil('the workers have let go', () => pools.every((pool) => pool.running === 0));
      return found;
    },
    file: (name) => readFile(path.join(projectDir, name), 'utf8'),
  };
}

async function removeKeys(store: Store): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await store.redis.scan(cursor, 'MATCH', `${store.keys.base}*`, 'COUNT', 1000);
    if (keys.length > 0) await store.redis.unlink(...keys);
    cursor = next;
  } while (cursor !== '0');
}

/** A valid plan from what a person would write. @throws when it is not valid, with the problems */
export function testPlan(
  document: Record<string, unknown>,
  knownAgents: ReadonlySet<string> = KNOWN_AGENTS,
): LoadedTestPlan {
  const text = JSON.stringify({ name: 'test', ...document });
  const parsed = parsePlan({ kind: 'file', file: 'plan.json', text }, { knownAgents, resources: {} });
  if (!parsed.ok) throw new Error(parsed.error.map((problem) => problem.message).join('\n'));
  return { plan: parsed.value.plan, graph: compileGraph(parsed.value.plan) };
}

/** `{id: state}` of a run's tasks. */
export function statesOf(view: RunView): Record<string, string> {
  return Object.fromEntries(view.tasks.map((task) => [task.id, task.state]));
}
