/**
 * One drain: work that was added before, and worker processes that do all of it. The same for both systems, from the
 * warm processes to what is read afterwards.
 */
import type { Lab } from './lab.ts';
import type { MeasuredProcess, Program } from './measured-process.ts';
import { lastEvent, openPlanq, type Planq, readHappenings, spanOf, submitMany } from './planq.ts';
import { AUTHENTICATION_TASKS, authentication, type PlanDocument } from './plans.ts';
import { openRaw } from './raw.ts';
import { type BenchServer, difference, type ServerTotals } from './server.ts';

export const CONCURRENCY = 32;

export interface Drain {
  tasks: number;
  /** First claim to last end. */
  spanMs: number;
  /** From the word "start" to a loaded and warm process, to the last end. */
  wallMs: number;
  /** Of all worker processes together. */
  workerCpuMs: number;
  /** The most that one of them ever had. */
  peakBytes: number;
  server: ServerTotals;
  /** Growth of the data since before the work was added. */
  bytesKept: number;
}

export interface DrainOptions {
  workers: number;
  tasks: number;
  server?: BenchServer;
  /** Leaves the server and its data as they are. */
  keep?: boolean;
  /** Where the runs go; else into a fresh one. The caller closes it. */
  planq?: Planq;
  /** For the worker processes. */
  nodeOptions?: readonly string[];
  /** Looks on while the workers work. */
  around?(work: () => Promise<void>): Promise<unknown>;
}

interface Work {
  prefix: string;
  projectDir: string;
  done(): Promise<void>;
  span(): Promise<{ first: number; last: number }>;
  close(): Promise<void>;
}

type Add = (tasks: number) => Promise<Work>;

export async function drainRaw(lab: Lab, options: DrainOptions): Promise<Drain> {
  return drain(lab, options, 'raw-worker', async (tasks) => {
    const queue = openRaw(lab, options.server);
    await queue.add(tasks);
    return { ...queue, projectDir: '', done: () => queue.completed(tasks) };
  });
}

/** As many runs of the authentication plan as make the number of tasks. */
export async function drainPlanq(lab: Lab, barrier: PlanDocument['barrier'], options: DrainOptions): Promise<Drain> {
  return drain(lab, options, 'planq-worker', async (tasks) => {
    const planq = options.planq ?? (await openPlanq(lab, options.server));
    const runs = tasks / AUTHENTICATION_TASKS;
    const before = await lastEvent(planq);
    await submitMany(planq, await planq.load(authentication(barrier)), runs);
    return {
      ...planq,
      done: planq.quiet,
      span: async () => spanOf(await readHappenings(planq, before), runs),
      close: async () => {
        if (options.planq === undefined) await planq.close();
      },
    };
  });
}

async function drain(lab: Lab, options: DrainOptions, program: Program, add: Add): Promise<Drain> {
  const server = options.server ?? lab.server;
  if (options.keep !== true) await server.empty();
  const processes = await Promise.all(
    Array.from({ length: options.workers }, () => lab.startProcess(program, options.nodeOptions)),
  );
  try {
    await warm(server, processes, lab.options.quick ? 60 : 600, add);
    if (options.keep !== true) await server.empty();
    const empty = await server.totals();
    const work = await add(options.tasks);
    const measured = await measure(server, processes, work, options.around);
    const bytesKept = (await server.totals()).dataset - empty.dataset;
    await work.close();
    return { tasks: options.tasks, ...measured, bytesKept };
  } finally {
    await Promise.all(processes.map((one) => one.end()));
  }
}

/** A fresh process has compiled nothing yet; one that has run for a minute has. */
async function warm(
  server: BenchServer,
  processes: readonly MeasuredProcess[],
  tasks: number,
  add: Add,
): Promise<void> {
  const work = await add(tasks);
  await startAll(server, processes, work);
  await work.done();
  await Promise.all(processes.map((one) => one.stop()));
  await work.close();
}

async function startAll(server: BenchServer, processes: readonly MeasuredProcess[], work: Work): Promise<void> {
  const { prefix, projectDir } = work;
  await Promise.all(
    processes.map((one) => one.start({ socket: server.socket, prefix, projectDir, concurrency: CONCURRENCY })),
  );
}

async function measure(
  server: BenchServer,
  processes: readonly MeasuredProcess[],
  work: Work,
  around: DrainOptions['around'] = (perform) => perform(),
): Promise<Omit<Drain, 'tasks' | 'bytesKept'>> {
  const cpu = (): number => processes.reduce((sum, one) => sum + one.cpuMs(), 0);
  const [before, cpuBefore, beganAt] = [await server.totals(), cpu(), Date.now()];
  await around(async () => {
    await startAll(server, processes, work);
    await work.done();
  });
  const [cpuAfter, after] = [cpu(), await server.totals()];
  const peakBytes = Math.max(...processes.map((one) => one.memory().peak));
  const { first, last } = await work.span();
  await Promise.all(processes.map((one) => one.stop()));
  return {
    spanMs: last - first,
    wallMs: last - beganAt,
    workerCpuMs: cpuAfter - cpuBefore,
    peakBytes,
    server: difference(after, before),
  };
}

export function ratePerSecond({ tasks, spanMs }: Drain): number {
  return (tasks * 1000) / spanMs;
}
