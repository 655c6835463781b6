/**
 * What the scripts and the queues need of a task, as the short text that stands in the run record: one per node of the
 * graph, written once at submit. The full definition of a task stands beside it and is read only by the worker that
 * performs it.
 */

/** A share that a task takes while it runs: the limit's name, the amount, and the capacity where the run itself sets it. */
export type LimitTake = [name: string, amount: number, capacity?: number];

export interface RecordNode {
  id: string;
  /** Master; empty for a gate. */
  m: string;
  /** BullMQ priority, 1 to 2^21 - 1; lower goes first. */
  p: number;
  /** Place in line among waiters, an integer as text (Lua would round it); lower goes first. */
  o: string;
  /** Barrier group; 0 = directly under the run. */
  g: number;
  /** Attempts in all. */
  x: number;
  l: LimitTake[];
  /** `continue-on-error`. */
  c?: 1;
  /** SHA-1 of the task's definition as it was submitted; a task whose definition is another is failed, not run. */
  h?: string;
}

/** As the record keeps it: words, which the scripts read faster than JSON; after a tab the limits, with commas between them. */
export function writeNode({ id, m, p, o, g, x, c, h, l }: RecordNode): string {
  const limits = l.map(([name, amount, capacity]) => `${name} ${amount} ${capacity ?? ''}`).join();
  return `${[m, id, h ?? '', p, g, o, x, c ?? 0].join(' ')}\t${limits}`;
}

const NODE = /^(\S*) (\S+) (\S*) (\d+) (\d+) (\d+) (\d+) ([01])\t(.*)$/;

/** Reads a node back from the record. @throws Error when that is not what stands there */
export function parseNode(text: string): RecordNode {
  const node = readNode(text);
  if (node === null) throw new Error(`cannot read a node of the run record: ${JSON.stringify(text.slice(0, 100))}`);
  return node;
}

/** @returns null where no node stands */
export function readNode(text: string): RecordNode | null {
  const [, m, id, h, p, g, o, x, c, limits] = (NODE.exec(text) ?? []) as string[];
  if (id === undefined) return null;
  const node: RecordNode = { id, m: m!, p: Number(p), o: o!, g: Number(g), x: Number(x), l: [] };
  if (limits !== '') node.l = limits!.split(',').map(parseTake);
  if (c === '1') node.c = 1;
  if (h !== '') node.h = h!;
  return node;
}

function parseTake(text: string): LimitTake {
  const [name, amount, capacity] = text.split(' ') as [string, string, string];
  return capacity === '' ? [name, Number(amount)] : [name, Number(amount), Number(capacity)];
}

/** What a limit is called outside of the node: those of a run are the run's own. */
export function limitKey(run: string, [name, , capacity]: LimitTake): string {
  return capacity === undefined ? name : `run:${run}:${name}`;
}
