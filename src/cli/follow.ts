/**
 * Follows a run until it rests. Events are the news, the record is the truth: it is read at the beginning, whenever an
 * event does not say enough, and when nothing was heard for a while; so a follower that missed the end ends all the same.
 */
import { readGateNames, readWantedGates, showRun } from '../control/find-run.ts';
import { followRun } from '../control/follow-run.ts';
import type { RunView } from '../flows/run-view.ts';
import { isAtRest } from '../plan/states.ts';
import type { Store } from '../producer/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Follower } from './live/follower.ts';
import { RunModel } from './live/model.ts';

export interface FollowInput {
  store: Store;
  clock: Clock;
  runId: string;
  /** Stream id to read after; taken before the run was submitted, retried or looked at. */
  cursor: string;
  follower: Follower;
  /** Ends the following; the run goes on. */
  signal: AbortSignal;
  /** Done every two seconds. */
  onTick?(): Promise<void>;
}

const TICK_MS = 2000;
/** A worker that lives has stopped its agents by then. */
const STOP_WAIT_MS = 15_000;

/** @returns the run as it is at the end: at rest, or in whatever state when the signal came */
export async function follow(input: FollowInput): Promise<RunView> {
  const { store, runId, follower } = input;
  const first = await showRun(store, runId);
  if (isAtRest(first.run.state)) return first;
  const gates = await readGateNames(store, runId);
  const model = new RunModel(first, gates, await readWantedGates(store, runId, gates));
  follower.start(model);
  try {
    await new Following(input, model).untilRest();
  } finally {
    follower.stop(model);
  }
  return model.view();
}

class Following {
  readonly #stop = new AbortController();
  readonly #aborted: Promise<void>;
  #heardAt: number;
  #cancelledAt: number | undefined;
  #failure: unknown;

  constructor(
    private readonly input: FollowInput,
    private readonly model: RunModel,
  ) {
    this.#heardAt = input.clock.monotonic();
    this.#aborted = new Promise((resolve) => this.#stop.signal.addEventListener('abort', () => resolve()));
    const stop = (): void => this.#stop.abort();
    if (input.signal.aborted) stop();
    else input.signal.addEventListener('abort', stop, { once: true });
  }

  async untilRest(): Promise<void> {
    const { store, runId, cursor, follower, clock } = this.input;
    void this.#tick();
    for await (const event of followRun(store, runId, { after: cursor, signal: this.#stop.signal })) {
      this.#heardAt = clock.monotonic();
      const isUntold = this.model.apply(event);
      follower.event(event, this.model);
      if (isUntold) await this.#orAborted(this.#readAgain());
      if (this.#stop.signal.aborted) break;
    }
    this.#stop.abort();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Runs beside the events; nobody waits for it, since it may wait for a Redis that does not answer. */
  async #tick(): Promise<void> {
    const { clock, onTick } = this.input;
    try {
      while (!this.#stop.signal.aborted) {
        await clock.sleep(TICK_MS, this.#stop.signal);
        if (this.#stop.signal.aborted) return;
        await onTick?.();
        if (clock.monotonic() - this.#heardAt >= TICK_MS) await this.#readAgain();
      }
    } catch (error) {
      // After the end connections are closed under it; before, it is what ends the following.
      if (!this.#stop.signal.aborted) this.#failure = error;
      this.#stop.abort();
    }
  }

  async #readAgain(): Promise<void> {
    const view = await showRun(this.input.store, this.input.runId);
    this.model.reset(view);
    if (this.#isOver(view)) this.#stop.abort();
  }

  /** A cancelled run rests when its agents have been stopped, or when nobody seems to be there to stop them. */
  #isOver({ run }: RunView): boolean {
    if (!isAtRest(run.state)) return false;
    if (run.state !== 'cancelled' || run.counts.running === 0) return true;
    const now = this.input.clock.monotonic();
    this.#cancelledAt ??= now;
    return now - this.#cancelledAt >= STOP_WAIT_MS;
  }

  #orAborted(work: Promise<void>): Promise<void> {
    return Promise.race([work, this.#aborted]);
  }
}
