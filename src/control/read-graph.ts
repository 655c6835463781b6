/** A run's nodes with their states and edges, for whoever looks at more than its tasks. */
import { gateNames } from '../flows/gate-names.ts';
import type { NodeView } from '../flows/graph-view.ts';
import { parseNode } from '../flows/node.ts';
import { parseTaskRecord } from '../flows/run-view.ts';
import type { Store } from '../producer/store.ts';

export interface RunGraph {
  meta: Record<string, string>;
  /** By index; gates come after the tasks. */
  nodes: NodeView[];
}

/** The whole graph of a run as it is now; null when no record knows it. Throws what Redis answers with. */
export async function readGraph(store: Store, run: string): Promise<RunGraph | null> {
  const meta = await store.record.readMeta(run);
  if (meta === null) return null;
  const indexes = Array.from({ length: Number(meta.nodes) }, (_, index) => index);
  const [nodes, deps, records] = await Promise.all([
    store.record.readFields(run, 'nodes', indexes),
    store.record.readFields(run, 'deps', indexes),
    store.record.readTasks(run),
  ]);
  const gates = gateNames(meta);
  return {
    meta,
    nodes: indexes.map((index) => ({
      index,
      id: gates.get(index) ?? idOf(nodes[index], index),
      isGate: index >= Number(meta.tasks),
      record: parseTaskRecord(records[index]),
      dependents: readEdges(deps[index]),
    })),
  };
}

function idOf(text: string | null | undefined, index: number): string {
  return text === null || text === undefined ? String(index) : parseNode(text).id;
}

/** `4s,7d` → 4, 7: the other ends of the edges that the record has of a node. */
export function readEdges(text: string | null | undefined): number[] {
  return [...(text ?? '').matchAll(/(\d+)[a-z]/g)].map(([, index]) => Number(index));
}
