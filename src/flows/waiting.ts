/** What of a run waits for a person: approvals, failures that nobody tolerates, gates that somebody closed. Pure. */
import { toIsoOrNull } from '../runtime/clock.ts';
import { countBehind, countBlocked, type NodeView } from './graph-view.ts';

export interface Waiting {
  kind: 'approval' | 'failure' | 'closed-gate';
  /** Task id, or `gate:<n>`. */
  subject: string;
  /** Why it failed or was closed. */
  reason: string | null;
  since: string | null;
  /** Tasks that go on, or can again, once it is seen to. */
  unblocks: number;
  command: string;
}

/** Most unblocking first. */
export function findWaiting(run: string, nodes: readonly NodeView[]): Waiting[] {
  const found = new Map<string, Waiting>();
  for (const node of nodes) {
    const waiting = toWaiting(run, node, nodes);
    const before = found.get(node.id);
    // The two nodes of one gate are one to people.
    if (waiting !== null && (before === undefined || before.unblocks < waiting.unblocks)) found.set(node.id, waiting);
  }
  return [...found.values()].sort((a, b) => b.unblocks - a.unblocks);
}

function toWaiting(run: string, node: NodeView, nodes: readonly NodeView[]): Waiting | null {
  const { id: subject, index, isGate, record } = node;
  const reason = record.r ?? null;
  if (record.s === 'parked' && record.ap === 1) {
    return {
      kind: 'approval',
      subject,
      reason: null,
      since: toIsoOrNull(record.n),
      unblocks: countBehind(nodes, index) + (isGate ? 0 : 1),
      command: `planq approve ${run} ${subject}`,
    };
  }
  if (record.s !== 'failed' || record.tol === 1) return null;
  return {
    kind: isGate ? 'closed-gate' : 'failure',
    subject,
    reason,
    since: toIsoOrNull(record.f),
    unblocks: countBlocked(nodes, index) + (isGate ? 0 : 1),
    command: isGate ? `planq approve ${run} ${subject}` : `planq retry ${run} ${subject}`,
  };
}
