/** What a task waits for in the graph: its needs, the gate before it, or somebody to mend what failed. Pure. */
import type { TaskState } from '../plan/states.ts';
import type { FailedRoot, NeedFact, Reason, TaskFacts } from './why-facts.ts';

const OPEN: ReadonlySet<TaskState> = new Set(['pending', 'ready', 'running', 'parked']);
const NAMED_AT_MOST = 5;

/** Of a pending or blocked task; at least one reason. */
export function explainNeeds(facts: TaskFacts): Reason[] {
  const { runId, record, roots, needs } = facts;
  const reasons =
    record.s === 'blocked'
      ? roots.map((root) => rootReason(runId, root))
      : needs.filter(({ state }) => OPEN.has(state)).map((need) => needReason(runId, need));
  if (reasons.length > 0) return reasons;
  const message = `it is ${record.s}, and nothing says why`;
  const command = record.s === 'blocked' ? `planq retry ${runId}` : `planq skip ${runId} ${facts.task.id}`;
  return [{ code: 'damaged', message, clear: 'have it worked out anew', command }];
}

/** @returns what mends a failure */
export function rootReason(runId: string, { id, isGate, reason }: FailedRoot): Reason {
  const why = reason === null ? '' : `: ${reason}`;
  return isGate
    ? {
        code: 'failed',
        message: `${id} is closed${why}`,
        clear: 'approve it after all',
        command: `planq approve ${runId} ${id}`,
      }
    : {
        code: 'failed',
        message: `${id} failed${why}`,
        clear: `run it again, or go on without it with "planq skip ${runId} ${id}"`,
        command: `planq retry ${runId} ${id}`,
      };
}

function needReason(runId: string, need: NeedFact): Reason {
  const { id, state } = need;
  if (!need.isGate)
    return {
      code: 'need',
      message: `it needs ${id}, which is ${state}`,
      clear: `${id} must end`,
      command: state === 'running' ? null : `planq why ${runId} ${id}`,
    };
  if (need.wantsApproval)
    return {
      code: 'approval',
      message: `${id} waits for approval`,
      clear: 'approve or reject it',
      command: `planq approve ${runId} ${id}`,
    };
  const open = need.missing.map((task) => `${task.id} (${task.state})`);
  const named = open.slice(0, NAMED_AT_MOST).join(', ');
  const more = open.length > NAMED_AT_MOST ? ` and ${open.length - NAMED_AT_MOST} more` : '';
  const first = need.missing.find((task) => task.state !== 'running');
  return {
    code: 'gate',
    message: `${id} is not open: ${named}${more} must end before`,
    clear: 'the gate opens by itself then',
    command: first === undefined ? null : `planq why ${runId} ${first.id}`,
  };
}
