/** What a task is short of, by the rule of the claim script: no room, or somebody with a better place in line. Pure. */
import type { LimitFact, Reason, TaskFacts } from './why-facts.ts';

/** One reason per limit that has no share for the task now; none when it was granted its leases while it waited. */
export function explainLimits({ record, leaseUntil, limits }: TaskFacts): Reason[] {
  if (record.g === 1 && leaseUntil !== null) return [];
  return limits.flatMap((limit): Reason[] => {
    const { capacity, used, amount, ahead } = limit;
    if (capacity === null) return [];
    const place = ahead === 0 ? 'it is the first in line' : `${ahead} in line before it`;
    if (used + amount > capacity) return [shortReason(limit, capacity, place)];
    if (!limit.isBehind) return [];
    const message = `${limit.name} has room for it, but ${place}: what is free is kept for the first`;
    return [{ code: 'line', message, clear: 'its turn comes by itself', command: 'planq limits' }];
  });
}

function shortReason({ name, amount, used, holders }: LimitFact, capacity: number, place: string): Reason {
  const takes = amount === 1 ? '' : `, it takes ${amount}`;
  const held = holders.length === 0 ? '' : `, held by ${holders.join(', ')}`;
  return {
    code: 'limit',
    message: `${name}: ${used} of ${capacity} in use${takes}${held}; ${place}`,
    clear: amount > capacity ? `${name} must be given more` : 'it starts by itself when enough is given back',
    command: amount > capacity ? null : 'planq limits',
  };
}
