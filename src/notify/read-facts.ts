/** Reads out of the record what a notification says of a run. Only states and the names that are told, not whole tasks. */
import { gateNames } from '../flows/gate-names.ts';
import { parseNode } from '../flows/node.ts';
import { readDefinition } from '../flows/read-definition.ts';
import { parseTaskRecord, type TaskRecord, toRunSummary } from '../flows/run-view.ts';
import type { Store } from '../producer/store.ts';
import { bounded } from '../runtime/errors.ts';
import type { FailedTask, RunFacts } from './notification.ts';

const MOST_NAMED = 100;
const MOST_FAILED = 20;
const REASON_LIMIT = 300;

/**
 * @param asked nodes of an event that want an approval; null = all that the run waits for
 * @param maskOf makes the function that hides the values of a task's own variables
 * @returns null when no record knows the run
 */
export async function readFacts(
  store: Store,
  run: string,
  asked: readonly number[] | null,
  maskOf: (values: Iterable<string>) => (text: string) => string,
): Promise<RunFacts | null> {
  const [meta, texts] = await Promise.all([store.record.readMeta(run), store.record.readTasks(run)]);
  if (meta === null) return null;
  const total = Number(meta.tasks ?? 0);
  const records = Object.entries(texts).map(([index, text]): [number, TaskRecord] => [
    Number(index),
    parseTaskRecord(text),
  ]);
  const find = (test: (record: TaskRecord, index: number) => boolean, most: number): number[] =>
    records
      .filter(([index, record]) => test(record, index))
      .map(([index]) => index)
      .sort((a, b) => a - b)
      .slice(0, most);
  const failed = find((record) => record.s === 'failed' && record.tol !== 1, MOST_FAILED);
  const blocked = find((record, index) => record.s === 'blocked' && index < total, MOST_NAMED);
  const waiting = asked?.slice(0, MOST_NAMED) ?? find((record) => record.ap === 1, MOST_NAMED);
  const nameOf = await readNames(store, run, gateNames(meta), [...failed, ...blocked, ...waiting]);
  const defs = await store.record.readDefs(run, failed);
  return {
    summary: toRunSummary(run, meta),
    failed: failed.map((index, at): FailedTask => {
      const mask = maskOf(Object.values(readDefinition(defs[at])?.env ?? {}));
      const { r } = parseTaskRecord(texts[index]);
      return { task: nameOf(index), reason: r === undefined ? null : bounded(mask(r), REASON_LIMIT) };
    }),
    blocked: blocked.map(nameOf),
    waitingFor: [...new Set(waiting.map(nameOf))],
  };
}

async function readNames(
  store: Store,
  run: string,
  gates: ReadonlyMap<number, string>,
  indexes: readonly number[],
): Promise<(index: number) => string> {
  const nodes = await store.record.readFields(run, 'nodes', indexes);
  const names = new Map(indexes.map((index, at) => [index, nodes[at]]));
  return (index) => {
    const node = names.get(index);
    return gates.get(index) ?? (node === null || node === undefined ? String(index) : parseNode(node).id);
  };
}
