/**
 * The composition root: the one place where clock, configuration, store, agents and workers are put together. Everything
 * that lives hangs off an app, so two can live in one process. What only some verbs need is imported when it is asked for:
 * a command that just looks starts in a fraction of the time.
 */
import { statSync } from 'node:fs';
import { debuglog } from 'node:util';
import type { Agent } from './agents/agent.ts';
import type { TierReport } from './agents/tier.ts';
import type { ReceiverInfo, TestResult } from './notify/notifier.ts';
import type { LoadedPlan, LoadOptions } from './producer/load-plan.ts';
import type { Store } from './producer/store.ts';
import type { SubmitOptions, Submitted } from './producer/submit.ts';
import { type Clock, systemClock } from './runtime/clock.ts';
import { type Config, type ConfigOverrides, loadConfig } from './runtime/config.ts';
import { PlanqError } from './runtime/errors.ts';
import type { Problem } from './runtime/problem.ts';
import { type Random, systemRandom } from './runtime/random.ts';
import type { Secrets } from './runtime/secrets.ts';
import type { CrashPoint } from './workers/context.ts';
import type { WorkerPool } from './workers/pool.ts';
import { openSecrets } from './workers/worker-secrets.ts';

export interface AppOptions {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  overrides?: ConfigOverrides;
  /** Performs every task with this kind of agent, whatever the plan says. */
  agent?: string;
  clock?: Clock;
  random?: Random;
  /** For what needs an operator. */
  warn?(message: string, facts?: Record<string, unknown>): void;
  /** For whoever looks for a mistake. Default: to stderr, with NODE_DEBUG=planq. */
  debug?(message: string): void;
}

export interface App {
  config: Config;
  clock: Clock;
  /** The secrets that this process can find, for masking what it shows. */
  secrets: Secrets;
  /** Opened on first use. @throws PlanqError `redis_*`, `clock_skew` */
  store(): Promise<Store>;
  loadPlan(path: string, options?: Partial<Pick<LoadOptions, 'barrier' | 'strict'>>): Promise<LoadedPlan>;
  submit(plan: Pick<LoadedPlan, 'plan' | 'graph'>, options?: SubmitOptions): Promise<Submitted>;
  /** A worker process's pool, not started. @param masters null = every master that any plan names */
  createPool(masters: Record<string, number> | null): Promise<WorkerPool>;
  /** How surely agents are held on this machine, with this configuration. */
  detectTier(): Promise<TierReport>;
  /** How exactly agents' processors and memory are limited on this machine; sentences. */
  agentLimits(): Promise<readonly string[]>;
  /** Who is notified, and of what. */
  receivers(): Promise<ReceiverInfo[]>;
  /** Whether a pool of this process could notify all of them. @throws PlanqError `config_invalid` when a secret is missing */
  checkNotify(): Promise<void>;
  /** Sends every receiver of notifications a test; needs no Redis. @throws PlanqError `config_invalid` */
  testNotify(signal?: AbortSignal): Promise<TestResult[]>;
  close(): Promise<void>;
}

/** Reads the configuration; opens nothing. @throws PlanqError `config_invalid` with every mistake in its facts */
export async function createApp(options: AppOptions): Promise<App> {
  const loaded = await loadConfig(options.env as NodeJS.ProcessEnv, options.overrides ?? {}, options.cwd);
  if (!loaded.ok) throw invalidConfig(loaded.error);
  const config = loaded.value;
  await refuseWrongSteering(options.env.PLANQ_FAKE);
  if (!isFolder(config.projectDir)) {
    throw new PlanqError('usage', `cannot use project folder "${config.projectDir}": it is not there`, {
      hint: 'make it first, or give another --project',
    });
  }
  const clock = options.clock ?? systemClock;
  const warn = options.warn ?? (() => undefined);
  const debug = options.debug ?? debuglog('planq');
  let opening: Promise<Store> | undefined;
  const store = (): Promise<Store> => {
    opening ??= import('./producer/store.ts').then(({ openStore }) => openStore(config, clock));
    return opening;
  };
  return {
    config,
    clock,
    secrets: openSecrets(config, options.env),
    store,
    loadPlan: async (path, planOptions = {}) => {
      const { loadPlan } = await import('./producer/load-plan.ts');
      const { createAgents, KNOWN_AGENTS } = await import('./agents/registry.ts');
      const plan = await loadPlan(path, {
        cwd: options.cwd,
        knownAgents: KNOWN_AGENTS,
        resources: config.limits.resources,
        planEnv: config.planEnv,
        ...(options.agent === undefined ? {} : { agent: options.agent }),
        ...(config.agent === null ? {} : { defaultAgent: config.agent }),
        ...planOptions,
      });
      return checkAgentOptions(plan, createAgents({ clock }), planOptions.strict === true);
    },
    submit: async (plan, submitOptions = {}) => {
      const { submitPlan } = await import('./producer/submit.ts');
      if (config.notify.length > 0) await (await loadNotifier()).anchorReceivers(await store(), config);
      return submitPlan(await store(), config, clock, plan, submitOptions);
    },
    createPool: async (masters) => {
      const { WorkerPool } = await import('./workers/pool.ts');
      const { createAgents } = await import('./agents/registry.ts');
      return new WorkerPool({
        store: await store(),
        config,
        clock,
        random: options.random ?? systemRandom,
        agents: createAgents({ clock }),
        env: options.env,
        masters,
        hook: crashHook(options.env.PLANQ_CRASH_AT),
        warn,
        debug,
      });
    },
    detectTier: async () => (await import('./agents/tier.ts')).chooseTier(config.isolation),
    agentLimits: async () => (await import('./agents/limiter.ts')).describeLimits(),
    receivers: async () => (await loadNotifier()).listReceivers(config, options.env),
    checkNotify: async () => {
      const { createReceivers } = await import('./notify/receivers.ts');
      createReceivers({ config, env: options.env, clock });
    },
    testNotify: async (signal = new AbortController().signal) =>
      (await loadNotifier()).sendTest({ config, env: options.env, clock, debug }, signal),
    close: async () => {
      // An opening that failed has nothing to close, and its error was told to whoever asked for the store.
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
  };
}

function loadNotifier(): Promise<typeof import('./notify/notifier.ts')> {
  return import('./notify/notifier.ts');
}

/** Lets every agent check the options of its tasks. @throws PlanqError `plan_invalid` */
function checkAgentOptions(loaded: LoadedPlan, agents: ReadonlyMap<string, Agent>, strict: boolean): LoadedPlan {
  const found = loaded.plan.tasks.flatMap((task) => agents.get(task.agent ?? '')?.validate(task) ?? []);
  const problems = [...loaded.problems, ...found];
  const refused = found.some(({ severity }) => severity === 'error' || (strict && severity === 'warning'));
  if (!refused) return { ...loaded, problems };
  throw new PlanqError(
    'plan_invalid',
    `cannot use plan "${loaded.plan.source.file}": the options of an agent are wrong`,
    {
      facts: { problems },
      hint: 'see docs/agents.md for the options of each agent',
    },
  );
}

/** Whoever steers the fake agent wrongly would see it do something else, and wonder. @throws PlanqError `usage` */
async function refuseWrongSteering(text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const { checkSteering } = await import('./agents/fake-steering.ts');
  const problems = checkSteering(text);
  if (problems.length === 0) return;
  throw new PlanqError('usage', `cannot use the variable PLANQ_FAKE: it has ${countMistakes(problems)}`, {
    hint: 'see docs/agents.md for the options of the fake agent',
    facts: { problems },
  });
}

/** At once: what Node needs to do it later takes longer to load than this takes. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** For fault tests: ends the process, as if killed, at a named point of a task's way. */
function crashHook(at: string | undefined): (point: CrashPoint) => void {
  return (point) => {
    if (point === at) process.kill(process.pid, 'SIGKILL');
  };
}

function invalidConfig(problems: Problem[]): PlanqError {
  return new PlanqError('config_invalid', `cannot use the configuration: it has ${countMistakes(problems)}`, {
    facts: { problems },
    hint: 'see docs/configuration.md for every key',
  });
}

function countMistakes({ length }: readonly Problem[]): string {
  return length === 1 ? '1 mistake' : `${length} mistakes`;
}
