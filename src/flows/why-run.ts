/** Why a run stands still, or what it does: the facts that matter, each with what to do about it. Pure. */
import { isFinal } from '../plan/states.ts';
import { formatDuration } from '../runtime/duration.ts';
import type { RunSummary, TaskView } from './run-view.ts';
import type { Waiting } from './waiting.ts';
import type { HoldFact, Reason } from './why-facts.ts';
import { holdReasons } from './why-holds.ts';

export interface RunFacts {
  /** Epoch ms. */
  now: number;
  run: RunSummary;
  tasks: readonly TaskView[];
  /** Everything, the run, and the masters of what is left of it. */
  holds: readonly HoldFact[];
  waiting: readonly Waiting[];
  /** Masters of what is left that no worker serves. */
  unserved: readonly string[];
}

export interface RunWhy {
  runId: string;
  state: RunSummary['state'];
  reasons: Reason[];
}

const NAMED_AT_MOST = 10;

/** @returns at least one reason for a run that has not ended */
export function explainRun(facts: RunFacts): RunWhy {
  const { run } = facts;
  // A cancelled run may have agents that are still being stopped.
  const reasons = isFinal(run.state) ? [endedReason(run), ...runningReasons(facts)] : openReasons(facts);
  return { runId: run.id, state: run.state, reasons: reasons.length > 0 ? reasons : [restReason(run)] };
}

function openReasons(facts: RunFacts): Reason[] {
  return [
    ...holdReasons(facts),
    ...facts.waiting.map(waitingReason),
    ...runningReasons(facts),
    ...queuedReasons(facts),
    ...unservedReasons(facts),
  ];
}

function endedReason({ id, state, finishedAt }: RunSummary): Reason {
  const how = state === 'cancelled' ? 'was cancelled' : `has ${state}`;
  const message = `run ${id} ${how}${finishedAt === null ? '' : ` at ${finishedAt}`}`;
  return { code: 'run-ended', message, clear: 'nothing; it has ended', command: `planq report ${id}` };
}

function restReason({ id, counts }: RunSummary): Reason {
  const message = `nothing is known to hold it: ${counts.completed} of ${tasks(counts.total)} completed`;
  return { code: 'waiting', message, clear: 'look again in a moment', command: `planq status ${id}` };
}

function waitingReason({ kind, subject, reason, unblocks, command }: Waiting): Reason {
  const why = reason === null ? '' : `: ${reason}`;
  if (kind === 'approval')
    return {
      code: 'approval',
      message: `${subject} waits for approval, ${tasks(unblocks)} with it`,
      clear: 'approve or reject it',
      command,
    };
  const blocks = kind === 'failure' ? unblocks - 1 : unblocks;
  return {
    code: 'failed',
    message: `${subject} ${kind === 'failure' ? 'failed' : 'is closed'}${why}; it blocks ${tasks(blocks)}`,
    clear: kind === 'failure' ? 'run it again, or skip it' : 'approve it after all',
    command,
  };
}

function runningReasons({ tasks: all, now }: RunFacts): Reason[] {
  const running = all.filter(({ state }) => state === 'running');
  const reasons = running.slice(0, NAMED_AT_MOST).map(({ id, startedAt, attempt }): Reason => {
    const since = startedAt === null ? '' : ` for ${formatDuration(Math.max(0, now - Date.parse(startedAt)))}`;
    const message = `${id} runs${since}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
    return { code: 'running', message, clear: 'it ends by itself', command: null };
  });
  const more = running.length - NAMED_AT_MOST;
  if (more > 0)
    reasons.push({ code: 'running', message: `${more} more run`, clear: 'they end by themselves', command: null });
  return reasons;
}

/** Tasks that could start, by what they wait for. */
function queuedReasons({ run, tasks: all }: RunFacts): Reason[] {
  const groups = new Map<string, string[]>();
  for (const { id, state, reason } of all) {
    if (state !== 'ready' && (state !== 'parked' || reason === 'waiting for approval')) continue;
    const why = state === 'parked' ? (reason ?? 'parked') : reason === null ? 'ready' : `ready again after "${reason}"`;
    groups.set(why, [...(groups.get(why) ?? []), id]);
  }
  return [...groups].map(([why, ids]): Reason => {
    const some = ids.length === 1 ? ids[0]! : `${ids[0]} and ${ids.length - 1} more`;
    return {
      code: 'waiting',
      message: `${some} ${ids.length === 1 ? 'is' : 'are'} ${why}`,
      clear: 'see each',
      command: `planq why ${run.id} ${ids[0]}`,
    };
  });
}

function unservedReasons({ run, unserved }: RunFacts): Reason[] {
  if (unserved.length === 0) return [];
  return [
    {
      code: 'no-worker',
      message: `no worker serves the ${unserved.length === 1 ? 'master' : 'masters'} ${unserved.join(', ')}`,
      clear: 'start "planq worker", or work the run here',
      command: `planq watch ${run.id} --work`,
    },
  ];
}

function tasks(count: number): string {
  return count === 1 ? '1 task' : `${count} tasks`;
}
