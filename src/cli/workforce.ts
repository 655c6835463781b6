/**
 * Who performs a run's tasks. Where no worker serves its masters, a pool is started in this process, and it is looked
 * after again and again: the worker that served them may be another `planq run` that ends.
 */
import type { App } from '../app.ts';
import { livingWorkers } from '../control/living-workers.ts';
import { unservedMasters } from '../producer/fleet.ts';
import { tuneEngine } from './worker-engine.ts';

type Pool = Awaited<ReturnType<App['createPool']>>;

export class Workforce {
  #pool: Pool | undefined;
  #starting: Promise<void> | undefined;
  #isOver = false;

  constructor(
    private readonly app: App,
    private readonly masters: readonly string[],
  ) {}

  /** Whether tasks are performed in this process. */
  get isHere(): boolean {
    return this.#pool !== undefined;
  }

  /** Whether it was told to stop: nothing more will be performed here. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tasks that this process performs now. */
  get running(): number {
    return this.#pool?.running ?? 0;
  }

  /** The masters that no worker but this process serves. */
  async unserved(): Promise<string[]> {
    const workers = await livingWorkers(await this.app.store(), this.app.clock);
    return unservedMasters(
      workers.filter((worker) => worker.id !== this.#pool?.id),
      this.masters,
    );
  }

  /** Starts a pool here when nobody else serves all of them. */
  async ensure(): Promise<void> {
    if (this.#isOver || this.#starting !== undefined || (await this.unserved()).length === 0) return;
    if (this.#isOver) return;
    this.#starting ??= this.#start();
    await this.#starting;
  }

  async #start(): Promise<void> {
    tuneEngine();
    const { concurrency } = this.app.config;
    this.#pool = await this.app.createPool(Object.fromEntries(this.masters.map((name) => [name, concurrency])));
    await this.#pool.start();
  }

  /** Takes nothing new, waits for what runs here, at last stops it and hands it back. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isOver = true;
    // How the start failed was told to whoever asked for it.
    await this.#starting?.catch(() => undefined);
    await this.#pool?.stop();
  }

  /** Ends the wait of {@link stop} at once. */
  hurry(): void {
    this.#pool?.hurry();
  }
}
