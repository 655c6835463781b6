import { type RunSummary, toRunSummary } from '../flows/run-view.ts';
import type { Store } from '../producer/store.ts';

/** Runs, newest first. @param limit at most so many, 1 to 1000 */
export async function listRuns(store: Store, limit: number): Promise<RunSummary[]> {
  const ids = await store.record.listRuns(limit);
  const metas = await Promise.all(ids.map((id) => store.record.readMeta(id)));
  return ids.flatMap((id, at) => (metas[at] ? [toRunSummary(id, metas[at])] : []));
}
