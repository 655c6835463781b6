/** planq as a library, from the built code: what submits and looks, in this process. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App, LoadedPlan } from '../src/index.ts';
import { splitEntry } from '../src/redis/stream.ts';
import type { Lab } from './lab.ts';
import type { PlanDocument } from './plans.ts';
import type { BenchServer } from './server.ts';

export interface Planq {
  app: App;
  prefix: string;
  projectDir: string;
  server: BenchServer;
  load(document: PlanDocument): Promise<LoadedPlan>;
  /** Resolves when no run is live any more. */
  idle(): Promise<void>;
  /** Resolves when the reports are written too, so that nothing at all is left to do. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** Seldom enough to cost nothing beside what is measured: 40 commands in a second. */
const LOOK_MS = 25;

/** Opens planq on a key prefix and in a project folder of its own. */
export async function openPlanq(lab: Lab, server = lab.server): Promise<Planq> {
  const projectDir = await lab.project();
  const prefix = `planq-${lab.next()}`;
  // A name that is not a literal: the built code has no types here before it is built.
  const built = new URL('../dist/index.js', import.meta.url).href;
  const { createApp } = (await import(built)) as typeof import('../src/index.ts');
  const app = await createApp({
    env: { PATH: process.env.PATH, REDIS_URL: server.socket, PLANQ_PREFIX: prefix },
    cwd: projectDir,
  });
  const until = async (isSo: () => Promise<boolean>): Promise<void> => {
    while (!(await isSo())) await sleep(LOOK_MS);
  };
  const { keys } = await app.store();
  const idle = (): Promise<void> => until(async () => (await server.redis.scard(keys.live)) === 0);
  return {
    app,
    prefix,
    projectDir,
    server,
    load: async (document) => {
      const file = path.join(projectDir, `plan-${lab.next()}.json`);
      await writeFile(file, JSON.stringify(document));
      return app.loadPlan(file);
    },
    idle,
    quiet: async () => {
      await idle();
      await until(async () => (await server.redis.zcard(keys.ended)) === 0);
    },
    close: () => app.close(),
  };
}

/** Submits a plan many times, eight at once. @returns the run ids */
export async function submitMany({ app }: Planq, plan: LoadedPlan, count: number): Promise<string[]> {
  const runs: string[] = [];
  let begun = 0;
  const submitter = async (): Promise<void> => {
    while (begun < count) {
      begun++;
      runs.push((await app.submit(plan)).runId);
    }
  };
  await Promise.all(Array.from({ length: 8 }, submitter));
  return runs;
}

/** An entry of the event stream. The server's clock, in whole milliseconds. */
export interface Happening {
  at: number;
  type: string;
  run: string;
  task: number | null;
}

/** The id of the newest event, `0-0` before the first. */
export async function lastEvent({ server, prefix }: Planq): Promise<string> {
  return (await server.redis.xrevrange(`{${prefix}}:events`, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0-0';
}

/** All events after one, oldest first. */
export async function readHappenings({ server, prefix }: Planq, after = '0-0'): Promise<Happening[]> {
  const found: Happening[] = [];
  for (let start = `(${after}`; ; ) {
    const page = await server.redis.xrange(`{${prefix}}:events`, start, '+', 'COUNT', 2000);
    for (const entry of page) found.push(...toHappenings(entry));
    if (page.length < 2000) return found;
    start = `(${page.at(-1)![0]}`;
  }
}

export function toHappenings(entry: [id: string, values: string[]]): Happening[] {
  return splitEntry(entry).map(({ id, fields: { run = '', type = '', task } }) => ({
    at: Number(id.split('-')[0]),
    type,
    run,
    task: task === undefined ? null : Number(task),
  }));
}

/** From the first claim to the last end of a run, ms. @throws Error when a run did not complete */
export function spanOf(happenings: readonly Happening[], runs: number): { first: number; last: number } {
  const started = happenings.find(({ type }) => type === 'task-started');
  const completed = happenings.filter(({ type }) => type === 'run-completed');
  if (started === undefined || completed.length !== runs)
    throw new Error(`${completed.length} of ${runs} runs completed`);
  return { first: started.at, last: completed.at(-1)!.at };
}
