/**
 * Reads a run out of the record, whole.
 */
import { readShown } from '../flows/read-definition.ts';
import { type RunView, toRunView } from '../flows/run-view.ts';
import type { Store } from './store.ts';

/** @returns null when no record knows the run */
export async function readRun(store: Store, run: string): Promise<RunView | null> {
  const meta = await store.record.readMeta(run);
  if (meta === null) return null;
  const indexes = Array.from({ length: Number(meta.tasks) }, (_, index) => index);
  const [defs, records] = await Promise.all([store.record.readDefs(run, indexes), store.record.readTasks(run)]);
  const damaged = indexes.filter((index) => readShown(defs[index]) === null);
  const nodes = await store.record.readFields(run, 'nodes', damaged);
  return toRunView(run, meta, defs, records, new Map(damaged.map((index, at) => [index, nodes[at] ?? null])));
}
