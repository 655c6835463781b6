/**
 * What a person does to a run, as typed calls of the scripts: hold, skip, approve, prune, by hand or by the keep rules.
 */
import type { KeepRules } from '../runtime/config.ts';
import { type Grant, type OutboxEntry, readGrants, readOutbox } from './replies.ts';
import type { Scripts } from './scripts.ts';

/** Who did it, when and why; kept with what it changed. */
export interface Decision {
  by: string;
  /** Epoch ms. */
  at: number;
  comment: string;
  /** Of an approval. */
  verdict?: 'approve' | 'reject';
}

/** Throws what Redis answers with. */
export class Steering {
  constructor(private readonly scripts: Scripts) {}

  /** @param name `all`, `master:<name>` or `run:<id>`. @returns whether it was held before */
  async hold(name: string, decision: Decision): Promise<boolean> {
    const reply = await this.scripts.call('hold', name, '1', JSON.stringify(decision));
    return reply[0] === 1;
  }

  /** Lifts a hold. `woken` are jobs to promote, at most 500; call again while there are some. */
  async release(name: string): Promise<{ wasHeld: boolean; woken: Grant[] }> {
    const reply = await this.scripts.call('hold', name, '', '');
    return { wasHeld: reply[0] === 1, woken: readGrants(reply, 1, reply.length - 1) };
  }

  /** @returns `state` or `ended` with the state that forbids it, or what became ready */
  async skip(
    run: string,
    index: number,
    reason: string,
  ): Promise<{ status: 'skipped' | 'gone' | 'state' | 'ended'; before: string; outbox: OutboxEntry[] }> {
    const reply = await this.scripts.call('skip', run, index, reason);
    const status = reply[0] as 'skipped' | 'gone' | 'state' | 'ended';
    return { status, before: String(reply[1]), outbox: status === 'skipped' ? readOutbox(reply, 2) : [] };
  }

  /** @param node index of a task, or of a gate */
  async decide(
    run: string,
    node: number,
    verdict: 'approve' | 'reject',
    decision: Decision,
    reason: string,
  ): Promise<{ status: 'done' | 'gone' | 'not-waiting'; outbox: OutboxEntry[] }> {
    const words = JSON.stringify({ ...decision, verdict });
    const reply = await this.scripts.call('approve', run, node, verdict, words, reason);
    const status = reply[0] as 'done' | 'gone' | 'not-waiting';
    return { status, outbox: status === 'done' ? readOutbox(reply, 1) : [] };
  }

  /**
   * Removes the record of a run that has ended by then. Its jobs are removed before, its tails too.
   * @param before epoch ms
   */
  async prune(run: string, before: number): Promise<'pruned' | 'gone' | 'kept'> {
    const reply = await this.scripts.call('prune', run, before);
    return reply[0] as 'pruned' | 'gone' | 'kept';
  }

  /** Ended runs that the rules give up, oldest first, each with its end in epoch ms. @param count how many at most */
  async findDue(rules: KeepRules, count: number): Promise<{ run: string; endedAt: number }[]> {
    const { runs, completedMs, failedMs, cancelledMs } = rules;
    const ages = ['completed', completedMs ?? '', 'failed', failedMs ?? '', 'cancelled', cancelledMs ?? ''];
    const reply = await this.scripts.call('due', count, runs ?? '', ...ages);
    return Array.from({ length: reply.length / 2 }, (_, at) => ({
      run: String(reply[at * 2]),
      endedAt: Number(reply[at * 2 + 1]),
    }));
  }

  /** Appends the event that a worker has pruned so many runs by the rules. */
  async tellPruned(count: number, worker: string): Promise<void> {
    await this.scripts.call('pruned', count, worker);
  }
}
