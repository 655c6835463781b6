/** What is paused now. */
import type { HoldFact } from '../flows/why-facts.ts';
import type { Store } from '../producer/store.ts';
import type { Decision } from '../redis/steering.ts';

/** All pauses, or those among `names`, in that order. Throws what Redis answers with. */
export async function readHolds(store: Store, names?: readonly string[]): Promise<HoldFact[]> {
  const all = await store.redis.hgetall(store.keys.holds);
  return (names ?? Object.keys(all)).flatMap((name): HoldFact[] => {
    const text = all[name];
    return text === undefined ? [] : [{ name, ...(JSON.parse(text) as Decision) }];
  });
}
