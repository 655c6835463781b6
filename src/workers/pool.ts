/**
 * One worker process: a BullMQ worker per master queue and one for the runs queue, the guardian, the sweeper and the ear
 * on the event stream, under one lifecycle. Stop is quiet → drain until the deadline → hand back.
 */
import os from 'node:os';
import { Guardian } from '../agents/guardian.ts';
import { chooseTier } from '../agents/tier.ts';
import { markOfThisProcess } from '../agents/worker-mark.ts';
import { stageJobId } from '../flows/compile.ts';
import { parseJobData } from '../flows/job-data.ts';
import { createNotifier, type Notifier } from '../notify/notifier.ts';
import { announceWorker, forgetWorker } from '../producer/fleet.ts';
import { masterQueue, RUNS_QUEUE } from '../redis/keys.ts';
import { createJobWorker, type Job, type Worker, wakeWorkers } from '../redis/queues.ts';
import type { DiskReader } from '../runtime/disk.ts';
import { randomId } from '../runtime/random.ts';
import type { Service } from '../runtime/service.ts';
import { createTicker, type PeriodicTask } from '../runtime/ticker.ts';
import { type Auditor, createAuditor } from './auditor.ts';
import { type Calm, createCalm } from './calm.ts';
import type { WorkerContext, WorkerParts } from './context.ts';
import { createDiskGuard } from './disk-guard.ts';
import { createEar } from './ear.ts';
import { performRun, performStage } from './finalise.ts';
import { Holdings } from './holdings.ts';
import { tellLeftovers } from './leftover-report.ts';
import { Lines } from './lines.ts';
import { createPruner } from './pruner.ts';
import { refuseJob } from './settle.ts';
import { Slots } from './slots.ts';
import { sweepOnce } from './sweeper.ts';
import { maskWarnings, openSecrets } from './worker-secrets.ts';

export interface PoolOptions extends WorkerParts {
  /** Masters to serve with the most tasks at once for each; null = every master that any plan names. */
  masters: Record<string, number> | null;
  /** For tests: another disk. */
  readDisk?: DiskReader;
}

/** Why nothing new is fetched; there can be several reasons at once. */
type Hold = 'redis' | 'guardian' | 'disk';

/** Run and stage jobs are short; so many at once are enough. */
const RUNS_CONCURRENCY = 8;

/** A worker process's work. `start` throws when Redis, the guardian or the isolation cannot be had; `stop` may be called twice. */
export class WorkerPool implements Service {
  readonly id: string;
  readonly #context: WorkerContext;
  readonly #lines: Lines;
  readonly #services: Service[];
  readonly #notifier: Notifier;
  #runs: Worker | undefined;
  #quiet = false;
  #startedAt = 0;
  readonly #holds = new Set<Hold>();
  readonly #disk: PeriodicTask;
  readonly #calm: Calm;
  readonly #auditor: Auditor;
  #stopping: Promise<void> | undefined;

  private readonly options: PoolOptions;

  constructor(parts: PoolOptions) {
    const secrets = openSecrets(parts.config, parts.env);
    const options: PoolOptions = { ...parts, warn: maskWarnings(secrets, parts.warn) };
    this.options = options;
    const { store, config, clock, random, warn } = options;
    this.id = `${os.hostname()}-${process.pid}-${randomId(4)}`;
    const guardian = new Guardian({
      onExit: () => void this.#replaceGuardian(),
      onKilled: (token, survivors) => {
        if (survivors > 0) warn('the guardian could not stop all of an agent whose lease had run out', { survivors });
        else this.#calm.tell('the guardian stopped an agent whose lease had run out');
        holdings.lose(token);
      },
    });
    this.#calm = createCalm({ clock, warn, rest: () => this.#hold('redis'), resume: () => this.#release('redis') });
    const onError = (error: unknown): void => this.#onError(error);
    const holdings = new Holdings({ record: store.record, guardian, clock, times: config.times, onError });
    this.#context = {
      ...options,
      workerId: this.id,
      mark: markOfThisProcess(this.id),
      isolation: 'none',
      holdings,
      guardian,
      slots: new Slots(config.concurrency),
      secrets,
      isQuiet: () => this.#quiet,
      complain: onError,
      tell: (message, facts) => this.#calm.tell(message, facts),
    };
    this.#lines = new Lines(this.#context);
    this.#auditor = createAuditor(this.#context);
    const pruner = createPruner(this.#context);
    const ear = createEar(store, {
      onCancel: (run) => holdings.stop('cancel', run),
      onPlans: () => this.#serveMasters(),
      onError,
      clock,
    });
    this.#disk = createDiskGuard({
      ...options,
      hold: () => this.#hold('disk'),
      release: () => this.#release('disk'),
    });
    const ticker = createTicker(
      [
        { name: 'sweep', intervalMs: config.times.sweepMs, runOnce: () => this.#sweep() },
        { name: 'prune', intervalMs: config.times.sweepMs * 2, runOnce: async () => void (await pruner.pruneOnce()) },
        { name: 'announce', intervalMs: 5000, runOnce: () => this.#announce() },
        this.#disk,
        { name: 'masters', intervalMs: 5000, runOnce: () => this.#serveMasters() },
        {
          name: 'check',
          intervalMs: Math.min(2000, Math.round(config.times.lockMs / 4)),
          runOnce: () => holdings.check(),
        },
      ],
      { clock, random, onError: (_name, error) => onError(error) },
    );
    const { mark } = this.#context;
    this.#notifier = createNotifier({ ...options, holder: this.id, guardian, mark, onError });
    this.#services = [guardian, ear, ticker, this.#notifier];
  }

  async start(): Promise<void> {
    const { store, config } = this.options;
    this.#startedAt = this.options.clock.now();
    this.#context.isolation = (await chooseTier(config.isolation)).isolation;
    await tellLeftovers(this.options);
    await this.#disk.runOnce(this.#startedAt);
    const caps = Object.entries(config.limits.resources).flatMap(([name, cap]) => [`res:${name}`, cap]);
    await store.redis.hset(store.keys.caps, 'agents', config.limits.agents, ...caps);
    for (const [master, cap] of Object.entries(config.limits.masters))
      await store.queues.queue(masterQueue(master)).setGlobalConcurrency(cap);
    await this.#announce();
    for (const service of this.#services) await service.start();
    this.#runs = this.#serveRuns();
    await this.#serveMasters();
  }

  /** Takes nothing new, waits for what is running up to the drain time, then stops the agents and hands their tasks back. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock, config, store } = this.options;
    this.#quiet = true;
    this.#calm.stop();
    const workers = this.#workers();
    await this.#pauseAll();
    const deadline = clock.monotonic() + config.times.drainMs;
    while (this.#context.holdings.size > 0 && clock.monotonic() < deadline) await clock.sleep(20);
    this.#context.holdings.stop('shutdown');
    await Promise.all(workers.map((worker) => worker.close()));
    await this.#passOnWakeUps().catch(() => undefined);
    for (const service of [...this.#services].reverse()) await service.stop();
    await forgetWorker(store, this.id).catch(() => undefined);
  }

  /** A worker that was waiting for jobs when it ended may have taken the wake-up that was meant for another one. */
  async #passOnWakeUps(): Promise<void> {
    const { store } = this.options;
    for (const { name } of this.#workers()) await wakeWorkers(store.redis, store.keys, name);
  }

  /** Ends the drain at once: a second signal means now. */
  hurry(): void {
    this.#quiet = true;
    this.#context.holdings.stop('shutdown');
    this.#notifier.hurry();
  }

  get running(): number {
    return this.#context.holdings.size;
  }

  async #serveMasters(): Promise<void> {
    if (this.#quiet) return;
    const { store, masters, config } = this.options;
    const names = masters === null ? await store.redis.smembers(store.keys.masters) : Object.keys(masters);
    // It may have been told to end while it asked.
    if (this.#quiet) return;
    for (const name of names) {
      const worker = this.#lines.serve(name, masters?.[name] ?? config.concurrency);
      if (worker !== undefined) this.#pauseIfHeld(worker);
    }
  }

  #serveRuns(): Worker {
    const { store, config } = this.options;
    const worker = createJobWorker({
      redis: store.redis,
      keys: store.keys,
      queue: RUNS_QUEUE,
      concurrency: RUNS_CONCURRENCY,
      times: config.times,
      perform: (job, token) => this.#performParent(job, token),
      onRenew: (jobIds) => this.#context.holdings.renew(jobIds),
      onError: (error) => this.#onError(error),
    });
    this.#pauseIfHeld(worker);
    return worker;
  }

  #pauseIfHeld(worker: Worker): void {
    if (this.#holds.size > 0) void worker.pause(true).catch((error: unknown) => this.#onError(error));
  }

  async #performParent(job: Job, token: string): Promise<unknown> {
    const data = parseJobData(job.data);
    if (data?.kind === 'stage' && job.id === stageJobId(data.run, data.group))
      return performStage(this.#context, job, token, data);
    if (data?.kind === 'run' && job.id === data.run) return performRun(this.#context, job, token, data);
    return refuseJob(this.#context, job, 'its data are not those of this run or stage');
  }

  async #sweep(): Promise<void> {
    const swept = await sweepOnce(this.#context);
    if (swept !== 'elsewhere') await this.#auditor.auditOnce(swept === 'nothing');
  }

  async #announce(): Promise<void> {
    const { store, config, clock, masters } = this.options;
    await announceWorker(store, {
      id: this.id,
      host: os.hostname(),
      pid: process.pid,
      masters,
      concurrency: config.concurrency,
      startedAt: this.#startedAt,
      seenAt: clock.now(),
      running: this.#context.holdings.size,
    });
  }

  /** Without a guardian nothing new may begin; agents that run are registered again with the next one. */
  async #replaceGuardian(): Promise<void> {
    this.options.warn('the guardian process ended; starting another');
    await this.#hold('guardian');
    await this.#context.guardian.start().catch((error: unknown) => this.#onError(error));
    await this.#release('guardian');
  }

  #workers(): Worker[] {
    const { workers } = this.#lines;
    return this.#runs === undefined ? workers : [...workers, this.#runs];
  }

  async #pauseAll(): Promise<void> {
    await Promise.all(this.#workers().map((worker) => worker.pause(true)));
  }

  async #resumeAll(): Promise<void> {
    for (const worker of this.#workers()) await worker.resume();
  }

  async #hold(reason: Hold): Promise<void> {
    this.#holds.add(reason);
    await this.#pauseAll();
  }

  async #release(reason: Hold): Promise<void> {
    if (this.#holds.delete(reason) && this.#holds.size === 0 && !this.#quiet) await this.#resumeAll();
  }

  #onError(error: unknown): void {
    if (this.#stopping !== undefined) return;
    this.#calm.note(error);
  }
}
