/**
 * `approve-before` names groups that a gate stands before: stages from the second on, or phases after the first.
 */
import { nearestWord } from '../runtime/nearest.ts';
import type { Problem } from '../runtime/problem.ts';
import { didYouMean, problem } from './codes.ts';
import type { Draft } from './draft.ts';
import type { KnownOrder } from './known-order.ts';
import { stripPhaseNumber } from './names.ts';
import { orderPhases } from './phases.ts';
import type { Plan } from './plan.ts';
import { stagesOf } from './stages.ts';

/** Checks every entry; a plan without barriers has no gate that could wait. */
export function checkApprovals(plan: Plan, draft: Draft, { isWhole }: KnownOrder): Problem[] {
  // How many stages there are, and which phase comes after another, is known only of the whole.
  if (!isWhole && plan.barrier !== 'none') return [];
  return (plan.approvals ?? []).flatMap((entry, at) => {
    if (approvalGroup(plan, entry) !== null) return [];
    const message = `nothing waits for approval before "${entry}"`;
    return [problem('unknown-approval', message, draft.place('approve-before', at), { hint: hintFor(plan, entry) })];
  });
}

/** The barrier group (from 2 on) that an entry of `approve-before` means; null when there is no gate before it. */
export function approvalGroup(plan: Plan, entry: number | string): number | null {
  if (plan.barrier === 'none') return null;
  if (plan.barrier === 'stage') return typeof entry === 'number' && entry <= stagesOf(plan).length ? entry : null;
  const order = orderPhases(plan);
  if (!order.ok) return null;
  const ordinal = order.value.indexOf(stripPhaseNumber(String(entry))) + 1;
  return ordinal >= 2 ? ordinal : null;
}

function hintFor(plan: Plan, entry: number | string): string {
  if (plan.barrier === 'none') return 'use "barrier: stage" or "barrier: phase", or "approval: true" on a task';
  if (plan.barrier === 'stage') return `give the number of a stage, 2 to ${stagesOf(plan).length}`;
  const order = orderPhases(plan);
  const phases = order.ok ? order.value.slice(1) : [];
  return didYouMean(nearestWord(String(entry), phases)) ?? `phases that wait: ${phases.join(', ')}`;
}
