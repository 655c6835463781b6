/**
 * Approves or rejects what waits for a person: a task before it starts, a gate before it opens.
 */
import { gateNames, gatesNamed } from '../flows/gate-names.ts';
import { revive } from '../producer/revive.ts';
import type { Store } from '../producer/store.ts';
import type { OutboxEntry } from '../redis/replies.ts';
import type { Decision } from '../redis/steering.ts';
import type { Clock } from '../runtime/clock.ts';
import { PlanqError } from '../runtime/errors.ts';
import { nearestWord } from '../runtime/nearest.ts';
import { findRunId, findTaskIndex, showRun } from './find-run.ts';

export type Verdict = 'approve' | 'reject';

export interface Decided {
  runId: string;
  /** Task id, or `gate:<n>`. */
  subject: string;
  verdict: Verdict;
}

const REVIVE_WAIT_MS = 3000;

/**
 * @param subject task id, or `gate:<n>` for the gate after group n
 * @throws PlanqError `run_not_found`, `task_not_found`, `wrong_state` when it does not wait
 */
export async function decide(
  store: Store,
  clock: Clock,
  text: string | undefined,
  subject: string,
  verdict: Verdict,
  decision: Omit<Decision, 'at'>,
): Promise<Decided> {
  const runId = await findRunId(store, text);
  const comment = decision.comment === '' ? '' : `: ${decision.comment}`;
  const reason = `rejected by ${decision.by}${comment}`;
  const ready: OutboxEntry[] = [];
  let isDone = false;
  for (const node of await findNodes(store, runId, subject)) {
    const reply = await store.steering.decide(runId, node, verdict, { ...decision, at: clock.now() }, reason);
    isDone ||= reply.status === 'done';
    ready.push(...reply.outbox);
  }
  if (!isDone) {
    throw new PlanqError(
      'wrong_state',
      `cannot ${verdict} "${subject}" of run ${runId}: it does not wait for approval`,
      { hint: 'see "planq inbox" for what does' },
    );
  }
  await revive(store, clock, runId, ready, REVIVE_WAIT_MS);
  return { runId, subject, verdict };
}

async function findNodes(store: Store, run: string, subject: string): Promise<number[]> {
  if (!subject.startsWith('gate:')) return [findTaskIndex(await showRun(store, run), subject)];
  const meta = (await store.record.readMeta(run)) ?? {};
  const found = gatesNamed(meta, subject);
  if (found.length > 0) return found;
  const near = nearestWord(subject, [...gateNames(meta).values()]);
  throw new PlanqError('task_not_found', `cannot find "${subject}" in run ${run}`, {
    hint: near === undefined ? 'see "planq inbox"' : `did you mean "${near}"?`,
  });
}
