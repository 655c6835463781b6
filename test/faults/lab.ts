/**
 * What every fault test needs: a Redis that may be broken, a project, worker processes that may be killed, and agents
 * that keep a journal of their own.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type AgentOrders, toCommand } from '../../src/drill/orders.ts';
import { parseEvent } from '../../src/events/codec.ts';
import type { Event } from '../../src/events/event.ts';
import type { RunView } from '../../src/flows/run-view.ts';
import { isAtRest, type RunState } from '../../src/plan/states.ts';
import { splitEntry } from '../../src/redis/stream.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { waitUntil } from '../support/processes.ts';
import { startWorkerProcess, type WorkerProcess, writeConfig } from '../support/worker-process.ts';
import { type Entry, readEntries } from './journal.ts';
import { type FaultRedis, startFaultRedis } from './redis.ts';

export interface Lab {
  app: TestApp;
  redis: FaultRedis;
  /** A task for a plan, performed by the agent that keeps the journal. */
  task(orders?: AgentOrders, more?: Record<string, unknown>): Record<string, unknown>;
  /** A path in the project. */
  path(name: string): string;
  journal(): Promise<Entry[]>;
  /** All events so far. */
  events(): Promise<Event[]>;
  startWorker(env?: Record<string, string>): Promise<WorkerProcess>;
  /** The views of runs once nothing of them moves; as they are when that takes too long. */
  settled(runs: readonly string[], timeoutMs: number): Promise<RunView[]>;
}

export interface LabOptions {
  lockMs?: number;
  redis?: Readonly<Record<string, string>>;
  /** More of planq.config.json. */
  config?: Record<string, unknown>;
}

const WORKER = fileURLToPath(new URL('./worker-main.ts', import.meta.url));

/** Out of the way: a test sets the limits that it is about in its plan. */
const LIMITS = { agents: 1000, phases: { implementation: 1000 } };

/** Made for one test, and gone with it. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const redis = await startFaultRedis(options.redis);
  return createLabOn(redis, options);
}

/** Another project on the same server. */
export async function createLabOn(redis: FaultRedis, options: LabOptions = {}): Promise<Lab> {
  const overrides = { ...LIMITS, masters: {}, resources: {} };
  const app = await createTestApp({ redisUrl: redis.socket, lockMs: options.lockMs ?? 3000, overrides });
  const times = { grace: '300ms', drain: '200ms', backoff: '50ms' };
  await writeConfig(app, { times, limits: LIMITS, ...options.config });
  const file = path.join(app.projectDir, 'journal.ndjson');
  return {
    app,
    redis,
    task: (orders = {}, more = {}) => {
      const run = toCommand(orders, { journal: file, name: app.prefix });
      return { agent: 'command', run, ...more };
    },
    path: (name) => path.join(app.projectDir, name),
    journal: () => readEntries(file),
    events: async () => {
      const raw = await app.store.redis.xrange(app.store.keys.events, '-', '+');
      return raw.flatMap(splitEntry).map(({ id, fields }) => parseEvent(id, fields));
    },
    startWorker: (env = {}) => startWorkerProcess(app, env, WORKER),
    settled: async (runs, timeoutMs) => {
      // The small part of the record: to read all of it, again and again, would be a load of its own.
      const resting = async (): Promise<boolean> => {
        const metas = await Promise.all(runs.map((run) => app.store.record.readMeta(run)));
        return metas.every((meta) => isAtRest(meta?.state as RunState) && Number(meta?.['n:running'] ?? 0) === 0);
      };
      // Whoever asks counts what has not come to rest.
      await waitUntil('all runs are at rest', resting, timeoutMs).catch(() => undefined);
      const views: RunView[] = [];
      for (const run of runs) views.push(await app.view(run));
      return views;
    },
  };
}

/** Nothing of the run moves: it has ended, or is blocked with nothing running. */
export function isResting({ run }: RunView): boolean {
  return isAtRest(run.state) && run.counts.running === 0;
}

/** Workers that are started again whenever they end, as any service manager does. */
export interface Fleet {
  /** Those that are up now. */
  up(): WorkerProcess[];
  /** How many have been started. */
  readonly started: number;
  /** SIGKILL for one that is up. @returns false when none is */
  kill(worker: WorkerProcess | undefined): Promise<boolean>;
  /** No more restarts. */
  stop(): Promise<void>;
}

/** @param envOf environment of the next worker; `count` says how many were started before */
export function superviseWorkers(
  lab: Lab,
  size: number,
  envOf: (count: number) => Record<string, string> = () => ({}),
): Fleet {
  const up = new Set<WorkerProcess>();
  let started = 0;
  let isOver = false;
  const supervise = async (): Promise<void> => {
    while (!isOver) {
      // It may be killed, or find no Redis, before it is up.
      const worker = await lab.startWorker(envOf(started++)).catch(() => undefined);
      if (worker === undefined) {
        await sleep(100);
        continue;
      }
      up.add(worker);
      if (isOver) worker.child.kill('SIGKILL');
      await worker.exited;
      up.delete(worker);
    }
  };
  const lines = Array.from({ length: size }, supervise);
  const stop = async (): Promise<void> => {
    isOver = true;
    for (const worker of up) worker.child.kill('SIGKILL');
    await Promise.all(lines);
  };
  onTestFinished(stop);
  return {
    up: () => [...up],
    get started() {
      return started;
    },
    kill: async (worker) => {
      if (worker === undefined) return false;
      worker.child.kill('SIGKILL');
      await worker.exited;
      return true;
    },
    stop,
  };
}
