/**
 * The attempts that this worker performs now. One liveness: whenever BullMQ renews its locks the record's leases are
 * renewed in the same breath, and with the answer the guardian is told how long the agents may live. The order is always
 * guardian < lock ≤ lease, so when a task is handed to somebody else its old agent is dead.
 */
import type { StopReason } from '../agents/agent.ts';
import type { Guardian } from '../agents/guardian.ts';
import type { Holding, RunRecord } from '../redis/record.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Times } from '../runtime/config.ts';
import type { StopSwitch } from './stop-switch.ts';

export interface Held extends Holding {
  jobId: string;
  stop: StopSwitch;
  /** Monotonic ms of the last moment for which the lease is known to be ours. */
  renewedAt: number;
}

export interface HoldingsOptions {
  record: RunRecord;
  guardian: Guardian;
  clock: Clock;
  times: Times;
  onError(error: unknown): void;
}

/** The attempts under way, and their one heartbeat. */
export class Holdings {
  readonly #held = new Map<string, Held>();

  constructor(private readonly options: HoldingsOptions) {}

  get size(): number {
    return this.#held.size;
  }

  add(held: Held): void {
    this.#held.set(held.jobId, held);
  }

  remove(held: Held): void {
    if (this.#held.get(held.jobId) === held) this.#held.delete(held.jobId);
  }

  /** How long an agent may live without a renewal. */
  guardianTtl(elapsedMs = 0): number {
    return Math.max(1, this.options.times.lockMs - this.options.times.guardianMarginMs - elapsedMs);
  }

  /** Whether the guardian may have stopped this attempt's agent: what looks like its failure is then ours. */
  isOverdue(held: Held): boolean {
    return this.options.clock.monotonic() - held.renewedAt > this.guardianTtl();
  }

  /** Stops every attempt, or those of one run. Their outcome comes by the ordinary way. */
  stop(reason: StopReason, run?: string): void {
    for (const held of this.#held.values()) if (run === undefined || held.run === run) held.stop.stop(reason);
  }

  /** Stops one attempt by the guardian's id for it. */
  lose(token: string): void {
    for (const held of this.#held.values()) if (held.token === token) held.stop.stop('lost');
  }

  /** Renews the leases of these jobs; called with every renewal of BullMQ's locks. */
  renew(jobIds: readonly string[]): void {
    const due = jobIds.map((id) => this.#held.get(id)).filter((held): held is Held => held !== undefined);
    if (due.length > 0) void this.#heartbeat(due).catch(this.options.onError);
  }

  /** Asks the record about every attempt now, for example after a cancel. */
  async check(): Promise<void> {
    await this.#heartbeat([...this.#held.values()]);
  }

  async #heartbeat(due: readonly Held[]): Promise<void> {
    const { record, guardian, clock, times } = this.options;
    const sentAt = clock.monotonic();
    const answers = await record.heartbeat(due, times.lockMs);
    const alive: string[] = [];
    answers.forEach((answer, at) => {
      const held = due[at]!;
      if (answer === 'ok') {
        held.renewedAt = sentAt;
        alive.push(held.token);
      } else held.stop.stop(answer === 'cancel' ? 'cancel' : 'lost');
    });
    if (alive.length > 0) guardian.renew(alive, this.guardianTtl(clock.monotonic() - sentAt));
  }
}
