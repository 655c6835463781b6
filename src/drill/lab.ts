/** What every check works with: the site, two workers, agents that keep a journal, and ways to wait for facts. */
import path from 'node:path';
import { KNOWN_AGENTS } from '../agents/registry.ts';
import { parseEvent } from '../events/codec.ts';
import type { Event } from '../events/event.ts';
import { parseTaskRecord, type RunView, type TaskRecord } from '../flows/run-view.ts';
import { compileGraph } from '../plan/graph.ts';
import { parsePlan } from '../plan/parse.ts';
import { isAtRest, type RunState } from '../plan/states.ts';
import { readRun } from '../producer/read-run.ts';
import { type SubmitOptions, type Submitted, submitPlan } from '../producer/submit.ts';
import { readRange } from '../redis/stream.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import type { DrillWorker, Fleet } from './fleet.ts';
import { type Entry, readEntries } from './journal.ts';
import { type AgentOrders, toCommand } from './orders.ts';
import type { Site } from './site.ts';

/** Far more than anything takes on a machine that works. */
const PATIENCE_MS = 20_000;
const POLL_MS = 10;

export interface Lab {
  site: Site;
  clock: Clock;
  fleet: Fleet;
  /** How surely agents are held here. */
  tier: 'A' | 'B' | 'C';
  /** A task for a plan, performed by the agent that keeps the journal. */
  task(orders?: AgentOrders, more?: Record<string, unknown>): Record<string, unknown>;
  submit(plan: Record<string, unknown>, options?: SubmitOptions): Promise<Submitted>;
  /** A path in the drill's folder. */
  path(name: string): string;
  /** What the agents of a run wrote. */
  journal(run: string): Promise<Entry[]>;
  events(run: string): Promise<Event[]>;
  record(run: string, index?: number): Promise<TaskRecord>;
  /** The worker that has a task. @throws when none of the drill's has it */
  holder(run: string, index?: number): Promise<DrillWorker>;
  /** The run once nothing of it moves. */
  rested(run: string): Promise<RunView>;
  /** Asks until `fact` is there. @throws after a while, saying what it waited for; `interrupted` at Ctrl-C */
  until<T>(what: string, fact: () => T | Promise<T>, patienceMs?: number): Promise<Exclude<T, false | undefined>>;
}

export interface LabParts {
  site: Site;
  clock: Clock;
  fleet: Fleet;
  tier: Lab['tier'];
  signal: AbortSignal;
}

export function createLab(parts: LabParts): Lab {
  const { site, clock, signal, fleet } = parts;
  const { store, config, folder } = site;
  const journal = path.join(folder, 'journal.ndjson');
  const until: Lab['until'] = async (what, fact, patienceMs = PATIENCE_MS) => {
    const deadline = clock.monotonic() + patienceMs;
    for (;;) {
      if (signal.aborted) throw new PlanqError('interrupted', 'interrupted');
      const answer = await fact();
      if (answer !== false && answer !== undefined) return answer as never;
      if (clock.monotonic() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain: ${what}`);
      await clock.sleep(POLL_MS, signal);
    }
  };
  const record = async (run: string, index = 0): Promise<TaskRecord> =>
    parseTaskRecord(await store.record.readTask(run, index));
  return {
    ...parts,
    until,
    record,
    task: (orders = {}, more = {}) => ({
      agent: 'command',
      run: toCommand(orders, { journal, name: path.basename(folder) }),
      ...more,
    }),
    submit: (plan, options) => submitPlan(store, config, clock, readPlan(plan), options),
    path: (name) => path.join(folder, name),
    journal: async (run) => (await readEntries(journal)).filter((entry) => entry.run === run),
    events: async (run) => {
      const events: Event[] = [];
      for await (const { id, fields } of readRange(store.redis, store.keys.events, { since: 0 }))
        events.push(parseEvent(id, fields));
      return events.filter((event) => event.run === run);
    },
    holder: async (run, index) => {
      const { w } = await record(run, index);
      const worker = fleet.find(w);
      if (worker === undefined) throw new Error(`no worker of the drill has the task, but ${w ?? 'nobody'}`);
      return worker;
    },
    rested: async (run) => {
      await until('the run comes to rest', async () => {
        const meta = await store.record.readMeta(run);
        return isAtRest(meta?.state as RunState) && Number(meta?.['n:running'] ?? 0) === 0;
      });
      const view = await readRun(store, run);
      if (view === null) throw new Error('the run is gone from Redis');
      return view;
    },
  };
}

function readPlan(document: Record<string, unknown>): Parameters<typeof submitPlan>[3] {
  const text = JSON.stringify({ name: 'drill', barrier: 'none', ...document });
  const parsed = parsePlan({ kind: 'file', file: 'drill.json', text }, { knownAgents: KNOWN_AGENTS, resources: {} });
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join('; '));
  return { plan: parsed.value.plan, graph: compileGraph(parsed.value.plan) };
}
